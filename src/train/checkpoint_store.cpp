// Atomic checkpoint folders: the order of steps is what makes a kill at any instant harmless.
// Not here: the format of any file but the manifest.
#include "train/checkpoint_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

#include "support/checksum.h"
#include "support/fail.h"
#include "support/json.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kCheckpointPrefix = "checkpoint-";
constexpr std::string_view kUnfinishedPrefix = ".unfinished-";
constexpr std::string_view kDiscardedPrefix = ".discarded-";
constexpr std::string_view kManifest = "manifest.json";
constexpr uint64_t kMaxManifestBytes = 16 << 20;

/// The step of a folder named checkpoint-<step>.
std::optional<int64_t> step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(kCheckpointPrefix)) return std::nullopt;
  int64_t step = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + kCheckpointPrefix.size(), end, step);
  if (error != std::errc{} || rest != end || step < 0) return std::nullopt;
  return step;
}

/// Checkpoint folders, the newest first.
std::vector<Checkpoint> list_checkpoints(const fs::path& run) {
  std::vector<Checkpoint> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(run)) {
    if (entry.is_symlink() || !entry.is_directory()) continue;
    if (const auto step = step_of(entry.path())) found.push_back({entry.path(), *step});
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.step > b.step; });
  return found;
}

/// Files below a folder by relative name, in order.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::string name = entry.path().lexically_relative(folder).generic_string();
    if (name != kManifest) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool stays_inside(const fs::path& name) {
  return !name.empty() && name.is_relative() &&
         std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

/// fsync of a file that another writer closed.
void sync_file(const fs::path& path) {
  const auto repeated = [](auto call) {
    int result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
  };
  const int fd = repeated([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  const bool done = fd >= 0 && repeated([&] { return ::fsync(fd); }) == 0;
  const int reason = errno;
  if (fd >= 0) ::close(fd);
  require(done, ErrorKind::run, "checkpoint", "{} could not be made durable: {}", path.string(),
          std::generic_category().message(reason));
}

/// `action`, with the failures of std::filesystem as Error{run}; again where a signal interrupted
/// it.
template <typename Action>
auto as_run_error(const fs::path& path, Action action) {
  for (;;) {
    try {
      return action();
    } catch (const fs::filesystem_error& error) {
      if (error.code() == std::errc::interrupted) continue;
      fail(ErrorKind::run, "checkpoint", "{}: {}", path.string(), error.code().message());
    }
  }
}

/// What a killed run left half done: folders of ours, and temporary files and links of
/// support/files.
bool is_leftover(const std::string& name) {
  return name.starts_with(kUnfinishedPrefix) || name.starts_with(kDiscardedPrefix) ||
         (name.starts_with('.') && name.ends_with(".tmp"));
}

bool stands(const fs::path& path) {
  return as_run_error(path, [&] { return fs::exists(path); });
}

}  // namespace

void write_manifest(const fs::path& folder) {
  nlohmann::ordered_json files = nlohmann::ordered_json::object();
  for (const std::string& name : files_below(folder)) {
    const fs::path path = folder / name;
    sync_file(path);
    files[name] = {{"size", fs::file_size(path)},
                   {"xxh3_128", hash_file(path, ErrorKind::run).hex()}};
  }
  nlohmann::ordered_json manifest;
  manifest["files"] = std::move(files);
  write_file_atomically(folder / kManifest, manifest.dump(1) + "\n");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) sync_directory(entry.path());
  }
  sync_directory(folder);
}

std::optional<std::string> manifest_fault(const fs::path& folder) {
  if (!fs::is_regular_file(folder / kManifest)) return "manifest.json is missing";
  const nlohmann::json manifest =
      try_parse_json(read_file(folder / kManifest, kMaxManifestBytes, ErrorKind::checkpoint)).value;
  const bool lists_files = manifest.is_object() && manifest.contains("files") &&
                           manifest["files"].is_object() && !manifest["files"].empty();
  if (!lists_files) return "manifest.json is damaged";
  for (const auto& [name, about] : manifest["files"].items()) {
    const auto* size = about.is_object() && about.contains("size") ? &about["size"] : nullptr;
    const auto* sum =
        about.is_object() && about.contains("xxh3_128") ? &about["xxh3_128"] : nullptr;
    const bool complete = stays_inside(name) && size != nullptr && size->is_number_unsigned() &&
                          sum != nullptr && sum->is_string();
    if (!complete) return "manifest.json is damaged";
    const fs::path path = folder / name;
    if (!fs::is_regular_file(path)) return name + " is missing";
    if (size->get<uint64_t>() != fs::file_size(path)) return name + " has another size";
    if (sum->get_ref<const std::string&>() != hash_file(path, ErrorKind::checkpoint).hex()) {
      return name + " has another checksum";
    }
  }
  return std::nullopt;
}

CheckpointStore::CheckpointStore(fs::path run, Log& log) : run_(std::move(run)), log_(log) {
  tenfold::create_directories(run_);
  lock_.emplace(run_ / ".lock");
  const auto leftovers = as_run_error(run_, [&] {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(run_)) {
      if (is_leftover(entry.path().filename().string())) found.push_back(entry.path());
    }
    return found;
  });
  for (const fs::path& path : leftovers) tenfold::remove_all(path);
}

fs::path CheckpointStore::folder_of(int64_t step) const {
  return run_ / (std::string(kCheckpointPrefix) + std::to_string(step));
}

void CheckpointStore::discard(const fs::path& folder) {
  const fs::path aside = run_ / (std::string(kDiscardedPrefix) + folder.filename().string());
  tenfold::remove_all(aside);
  rename_durably(folder, aside);
  tenfold::remove_all(aside);
}

void CheckpointStore::save(int64_t step, const WriteFiles& write) {
  const fs::path target = folder_of(step);
  const fs::path unfinished = run_ / (std::string(kUnfinishedPrefix) + target.filename().string());
  tenfold::remove_all(unfinished);
  tenfold::create_directories(unfinished);
  try {
    write(unfinished);
    as_run_error(unfinished, [&] { write_manifest(unfinished); });
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    throw;
  }
  if (stands(target)) discard(target);
  rename_durably(unfinished, target);
  point_link(run_ / "latest", target.filename());
}

std::optional<Checkpoint> CheckpointStore::newest_whole() const {
  const std::vector<Checkpoint> all = as_run_error(run_, [&] { return list_checkpoints(run_); });
  for (const Checkpoint& checkpoint : all) {
    const auto fault =
        as_run_error(checkpoint.folder, [&] { return manifest_fault(checkpoint.folder); });
    if (!fault) return checkpoint;
    log_.warn("{} is damaged ({}); trying the one before it", checkpoint.folder.string(), *fault);
  }
  require(all.empty(), ErrorKind::checkpoint, "resume", "{} holds no undamaged checkpoint",
          run_.string());
  return std::nullopt;
}

void CheckpointStore::mark_best(int64_t step) {
  if (!stands(folder_of(step))) return;
  point_link(run_ / "best", folder_of(step).filename());
}

void CheckpointStore::prune(int64_t keep, std::optional<int64_t> best) {
  const std::vector<Checkpoint> all = as_run_error(run_, [&] { return list_checkpoints(run_); });
  for (size_t i = static_cast<size_t>(std::max<int64_t>(1, keep)); i < all.size(); ++i) {
    if (best != all[i].step) discard(all[i].folder);
  }
}

void CheckpointStore::drop_after(int64_t step) {
  if (stands(folder_of(step))) point_link(run_ / "latest", folder_of(step).filename());
  for (const Checkpoint& checkpoint : as_run_error(run_, [&] { return list_checkpoints(run_); })) {
    if (checkpoint.step > step) discard(checkpoint.folder);
  }
}

bool CheckpointStore::empty() const {
  return as_run_error(run_, [&] { return list_checkpoints(run_).empty(); });
}

}  // namespace tenfold::train

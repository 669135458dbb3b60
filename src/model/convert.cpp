// Loading, writing, and taking over the other files.
// Not here: formats.
#include "model/convert.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "model/checkpoint.h"
#include "model/sentence_directory.h"
#include "model/stored_tensors.h"
#include "support/fail.h"
#include "support/files.h"
#include "tensor/device.h"

namespace tenfold::model {
namespace {

namespace fs = std::filesystem;

/// Weights of any framework, their indices, and what is written anew.
bool is_replaced(const std::string& name) {
  constexpr std::array<std::string_view, 7> kEnds = {".safetensors", ".bin",  ".h5", ".msgpack",
                                                     ".index.json",  ".onnx", ".ot"};
  return name == "config.json" || name == "manifest.json" ||
         std::any_of(kEnds.begin(), kEnds.end(),
                     [&](std::string_view end) { return name.ends_with(end); });
}

/// Copies the files of `from`; in the encoder's own folder those that are written anew stay behind.
void take_over(const fs::path& from, const fs::path& to, const fs::path& encoder,
               const std::string& below, std::vector<std::string>& copied) {
  ::tenfold::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_directory()) {
      // One level: modules of a sentence model.
      if (below.empty() && fs::exists(entry.path() / "config.json"))
        take_over(entry.path(), to / name, encoder, name + "/", copied);
    } else if (entry.is_regular_file() && !(from == encoder && is_replaced(name))) {
      fs::copy_file(entry.path(), to / name);
      copied.push_back(below + name);
    }
  }
}

/// A folder under a passing name, removed unless it was given its own.
class NewFolder {
 public:
  explicit NewFolder(fs::path target) : target_(std::move(target)) {
    require(!fs::exists(target_), ErrorKind::run, "convert", "{} is there already",
            target_.string());
    if (!target_.has_filename()) target_ = target_.parent_path();  // "out/"
    passing_ = target_;
    passing_ += fmt::format(".{}.partial", ::getpid());
    ::tenfold::create_directories(passing_);
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!done_) fs::remove_all(passing_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return passing_; }
  void finish() {
    rename_durably(passing_, target_);
    done_ = true;
  }

 private:
  fs::path target_, passing_;
  bool done_ = false;
};

}  // namespace

Conversion convert_directory(const fs::path& from, const fs::path& to,
                             const ConvertOptions& options) {
  const SentenceDirectory sentence = read_sentence_directory(from);
  LoadedModel model = load_model(sentence.encoder, {.map_weights = true});
  // Narrow weights were widened when read, so narrowing them again gives the same bits.
  const at::ScalarType type = options.dtype.value_or(parse_dtype(model.description.dtype));
  Conversion done{.architecture = model.description.architecture,
                  .dtype = dtype_name(type),
                  .warnings = model.warnings};
  if (options.rewiring) {
    Rewired rewired = rewire(model, *options.rewiring);
    model = std::move(rewired.model);
    done.kept = std::move(rewired.kept);
    done.fresh = std::move(rewired.fresh);
    done.dropped = std::move(rewired.dropped);
  }
  for (const OwnedModule& owned : model.modules()) {
    for (const auto& [name, weight] : stored_tensors(owned)) {
      done.tensors += 1;
      done.parameters += weight.numel();
    }
  }
  NewFolder folder(to);
  try {
    take_over(from, folder.path(), sentence.encoder, "", done.copied);
  } catch (const fs::filesystem_error& error) {
    fail(ErrorKind::run, "convert", "{}", error.what());
  }
  write_model(folder.path() / fs::relative(sentence.encoder, from), model.description,
              model.modules(), {.shard_bytes = options.shard_bytes, .dtype = type});
  folder.finish();
  std::sort(done.copied.begin(), done.copied.end());
  return done;
}

}  // namespace tenfold::model

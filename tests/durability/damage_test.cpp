// Checkpoints damaged by others than the writer, disks that are full, folders that may not be
// written. Not here: failing system calls (save_and_resume_test.cpp).
#include <sys/mount.h>

#include "durability/toy_run.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
using testing::end_of;
using testing::Ending;
using testing::slurp;
using testing::train_apart;
using testing::visible_checkpoints;

void put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string flipped(std::string bytes, size_t at, int bit) {
  bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 << bit));
  return bytes;
}

class RememberingLog final : public Log {
 public:
  std::string lines;

 protected:
  void line(Level, std::string_view text) override { lines.append(text) += '\n'; }
};

/// A run of four steps with checkpoints 2 and 4.
class Damage : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(train_apart(run(), 4, "").code, 0); }

  fs::path run() const { return folder_.path() / "run"; }

  testing::ScratchFolder folder_;
};

TEST_F(Damage, OfAnyFileOfTheNewestGoesBackLoudly) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(run() / "checkpoint-4")) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 4u);
  for (const fs::path& file : files) {
    const std::string bytes = slurp(file);
    std::vector<std::string> damaged = {"", bytes.substr(0, bytes.size() / 2),
                                        bytes.substr(0, bytes.size() - 2), bytes + "x"};
    for (const size_t at : {size_t{0}, bytes.size() / 2, bytes.size() - 2}) {
      damaged.push_back(flipped(bytes, at, 4));
    }
    for (const std::string& other : damaged) {
      put(file, other);
      RememberingLog log;
      CheckpointStore store(run(), log);
      const auto newest = store.newest_whole();
      ASSERT_TRUE(newest);
      EXPECT_EQ(newest->step, 2) << file;
      EXPECT_NE(log.lines.find("checkpoint-4 is damaged"), std::string::npos) << log.lines;
    }
    fs::remove(file);
    RememberingLog log;
    EXPECT_EQ(CheckpointStore(run(), log).newest_whole()->step, 2) << file;
    put(file, bytes);
  }
  EXPECT_EQ(CheckpointStore(run(), silent_log()).newest_whole()->step, 4);
}

/// Whatever one bit of the manifest says, it is read without failing; another meaning is damage.
TEST_F(Damage, OfAnyByteOfTheManifestIsSeen) {
  const fs::path manifest = run() / "checkpoint-4" / "manifest.json";
  const std::string bytes = slurp(manifest);
  const auto meaning = nlohmann::json::parse(bytes);
  CheckpointStore store(run(), silent_log());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit : {0, 3, 6}) {
      const std::string other = flipped(bytes, at, bit);
      put(manifest, other);
      const bool same = nlohmann::json::parse(other, nullptr, false) == meaning;
      ASSERT_EQ(store.newest_whole()->step, same ? 4 : 2) << "byte " << at << " bit " << bit;
    }
  }
}

TEST_F(Damage, OfTheManifestsTypesIsDamage) {
  const fs::path manifest = run() / "checkpoint-4" / "manifest.json";
  CheckpointStore store(run(), silent_log());
  for (const char* text :
       {"{}", "[]", "", "{\"files\": {}}", "{\"files\": {\"toy.bin\": {\"size\": \"84\"}}}",
        "{\"files\": {\"toy.bin\": {\"size\": 84, \"xxh3_128\": 5}}}",
        "{\"files\": {\"toy.bin\": 3}}", "{\"files\": {\"/etc/passwd\": {\"size\": 84}}}",
        "{\"files\": {\"\": {\"size\": 84}}}"}) {
    put(manifest, text);
    EXPECT_EQ(store.newest_whole()->step, 2) << text;
  }
}

/// A small file system that may be enlarged later.
class FullDisk : public Damage {
 protected:
  void SetUp() override {
    Damage::SetUp();
    fs::create_directories(disk());
    if (!mount_with(64 << 10, 0)) GTEST_SKIP() << "a small tmpfs cannot be mounted here";
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(disk().c_str(), MNT_DETACH);
  }

  bool mount_with(size_t bytes, unsigned long flags) const {
    const std::string size = "size=" + std::to_string(bytes);
    return ::mount("tmpfs", disk().c_str(), "tmpfs", flags, size.c_str()) == 0;
  }
  fs::path disk() const { return folder_.path() / "disk"; }

  bool mounted_ = false;
};

TEST_F(FullDisk, KeepsWhatStandsAndGoesOnWithMoreRoom) {
  ASSERT_EQ(train_apart(folder_.path() / "whole", 6, "").code, 0);
  const fs::path moved = disk() / "run";
  int full = 0;
  bool done = false;
  // Page by page, from no room at all to enough.
  for (size_t pages = 12; pages < 64 && !done; ++pages) {
    SCOPED_TRACE(pages);
    ASSERT_TRUE(mount_with(1 << 20, MS_REMOUNT));
    fs::remove_all(moved);
    fs::copy(run(), moved, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    fs::create_directories(moved.string() + ".notes");
    if (!mount_with(pages << 12, MS_REMOUNT)) continue;  // smaller than what it holds
    const Ending ending = train_apart(moved, 6, "");
    done = ending.code == 0;
    if (!done) {
      ++full;
      EXPECT_EQ(ending.code, 1) << ending.err;
      EXPECT_GE(visible_checkpoints(moved).size(), 2u);
    }
    ASSERT_TRUE(mount_with(1 << 20, MS_REMOUNT));
    const Ending again = train_apart(moved, 6, "");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_TRUE(end_of(moved) == end_of(folder_.path() / "whole"));
  }
  EXPECT_TRUE(done);
  EXPECT_GE(full, 3) << "the disk was never full";
}

TEST_F(Damage, AFolderThatMayNotBeWrittenStopsAtOnce) {
  const std::string before = slurp(run() / "metrics.jsonl");
  for (const auto& entry : fs::recursive_directory_iterator(run())) {
    if (entry.is_symlink()) continue;
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0555) : fs::perms(0444));
  }
  fs::permissions(run(), fs::perms(0555));
  const pid_t child = ::fork();
  if (child == 0) {
    // The superuser may write everywhere: be nobody.
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(77);
    try {
      testing::train_toy(run(), 6, silent_log());
      ::_exit(0);
    } catch (const Error& error) {
      const bool clear = std::string(error.what()).find("Permission denied") != std::string::npos;
      ::_exit(clear ? error.exit_code() : 98);
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  fs::permissions(run(), fs::perms(0755));
  for (const auto& entry : fs::recursive_directory_iterator(run())) {
    if (!entry.is_symlink() && entry.is_directory()) fs::permissions(entry.path(), fs::perms(0755));
  }
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "cannot become another user here";
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_EQ(slurp(run() / "metrics.jsonl"), before);
  EXPECT_EQ(visible_checkpoints(run()), (std::vector<int64_t>{2, 4}));
}

}  // namespace
}  // namespace tenfold::train

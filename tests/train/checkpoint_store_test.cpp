// Checkpoint folders: whole or invisible, verified, and removed last.
// Not here: what a trainer puts into them.
#include "train/checkpoint_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "train/toy.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;

class RememberingLog final : public Log {
 public:
  std::vector<std::string> lines;

 protected:
  void line(Level, std::string_view text) override { lines.emplace_back(text); }
};

WriteFiles content(const std::string& text) {
  return [text](const fs::path& folder) {
    write_file_atomically(folder / "a.txt", text);
    fs::create_directory(folder / "inner");
    write_file_atomically(folder / "inner" / "b.txt", text + text);
  };
}

void overwrite(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

TEST(CheckpointStore, FindsTheNewestAndPointsTheLinks) {
  testing::ScratchFolder folder;
  CheckpointStore store(folder.path() / "run", silent_log());
  EXPECT_TRUE(store.empty());
  EXPECT_FALSE(store.newest_whole());
  store.save(9, content("nine"));
  store.save(10, content("ten"));
  store.mark_best(9);
  EXPECT_EQ(store.newest_whole()->step, 10);
  EXPECT_EQ(fs::read_symlink(store.run() / "latest"), "checkpoint-10");
  EXPECT_EQ(read_file(store.run() / "best" / "a.txt", 100), "nine");
}

TEST(CheckpointStore, GoesBackPastEveryKindOfDamage) {
  testing::ScratchFolder folder;
  RememberingLog log;
  CheckpointStore store(folder.path(), log);
  for (int64_t step = 1; step <= 6; ++step) store.save(step, content("text"));
  overwrite(folder.path() / "checkpoint-6" / "a.txt", "texT");
  overwrite(folder.path() / "checkpoint-5" / "inner" / "b.txt", "texttextt");
  fs::remove(folder.path() / "checkpoint-4" / "a.txt");
  fs::remove(folder.path() / "checkpoint-3" / "manifest.json");
  overwrite(folder.path() / "checkpoint-2" / "manifest.json", "{\"files\": [");
  EXPECT_EQ(store.newest_whole()->step, 1);
  ASSERT_EQ(log.lines.size(), 5u);
  EXPECT_NE(log.lines[0].find("checkpoint-6 is damaged (a.txt has another checksum)"),
            std::string::npos)
      << log.lines[0];
  store.drop_after(1);
  EXPECT_FALSE(fs::exists(folder.path() / "checkpoint-6"));
  EXPECT_EQ(fs::read_symlink(folder.path() / "latest"), "checkpoint-1");
  overwrite(folder.path() / "checkpoint-1" / "a.txt", "");
  EXPECT_THROW(store.newest_whole(), Error);
}

TEST(CheckpointStore, AManifestCannotNameFilesOutside) {
  testing::ScratchFolder folder;
  CheckpointStore store(folder.path(), silent_log());
  store.save(1, content("x"));
  overwrite(folder.path() / "checkpoint-1" / "manifest.json",
            R"({"files": {"../.lock": {"size": 0}}})");
  EXPECT_EQ(manifest_fault(folder.path() / "checkpoint-1"), "manifest.json is damaged");
}

TEST(CheckpointStore, AFailedSaveLeavesNothingAndHarmsNothing) {
  testing::ScratchFolder folder;
  CheckpointStore store(folder.path(), silent_log());
  store.save(1, content("one"));
  EXPECT_THROW(store.save(2,
                          [](const fs::path& path) {
                            write_file_atomically(path / "a.txt", "half");
                            fail(ErrorKind::run, "test", "disk full");
                          }),
               Error);
  EXPECT_EQ(store.newest_whole()->step, 1);
  EXPECT_FALSE(fs::exists(folder.path() / ".unfinished-checkpoint-2"));
}

TEST(CheckpointStore, PrunesAllButTheNewestAndTheBest) {
  testing::ScratchFolder folder;
  CheckpointStore store(folder.path(), silent_log());
  for (int64_t step : {10, 20, 30, 40, 100}) store.save(step, content("x"));
  store.prune(2, 20);
  for (int64_t step : {20, 40, 100})
    EXPECT_TRUE(fs::exists(folder.path() / fmt::format("checkpoint-{}", step)));
  for (int64_t step : {10, 30})
    EXPECT_FALSE(fs::exists(folder.path() / fmt::format("checkpoint-{}", step)));
}

TEST(CheckpointStore, ClearsWhatAKilledRunLeft) {
  testing::ScratchFolder folder;
  fs::create_directories(folder.path() / ".unfinished-checkpoint-7" / "inner");
  fs::create_directories(folder.path() / ".discarded-checkpoint-3");
  CheckpointStore store(folder.path(), silent_log());
  EXPECT_TRUE(store.empty());
  EXPECT_FALSE(fs::exists(folder.path() / ".unfinished-checkpoint-7"));
  EXPECT_FALSE(fs::exists(folder.path() / ".discarded-checkpoint-3"));
}

}  // namespace
}  // namespace tenfold::train

// Folders that cannot be written and disks that are full: one line, exit code 1, nothing lost.
// Not here: every single system call of a save (tests/train, tests/support).
#include "program.h"
#include "support/checksum.h"

namespace tenfold::testing {
namespace {

class Unwritable : public ProgramTest {
 protected:
  void expect_refused(const Ran& ran, const std::string& part) const {
    EXPECT_EQ(ran.code, 1) << ran.err;
    EXPECT_NE(ran.err.find("tenfold: ["), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  }

  uint64_t digest(const std::string& out) const {
    return xxh3_64(slurp(folder_ / out / "latest" / "model.safetensors") +
                   slurp(folder_ / out / "latest" / "training_state.safetensors"));
  }
};

TEST_F(Unwritable, AFolderThatIsAFile) {
  make_shards();
  make_recipe();
  spill(folder_ / "file", "not a folder");
  expect_refused(run(pretrain("file/run")), "file");
}

TEST_F(Unwritable, AReadOnlyFolder) {
  const std::string user =
      ::geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  if (shell(user + "$tenfold --version").code != 0) {
    GTEST_SKIP() << "root may write anywhere, and no other user can run the program here";
  }
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("locked/old", "--set train.max_seconds=0.01")).code, 0);
  const uint64_t before = digest("locked/old");
  ASSERT_EQ(shell("chmod -R a-w " + at("locked")).code, 0);
  const auto as_user = [&](const std::string& line) { return shell(user + "$tenfold " + line); };
  expect_refused(as_user(pretrain("locked/new")), "Permission denied");
  expect_refused(as_user(pretrain("locked/old", "--resume")), "Permission denied");
  expect_refused(as_user("vocab --input " + at("text.txt") + " --out " + at("locked/v")),
                 "Permission denied");
  expect_refused(as_user("prepare --input " + at("text.txt") + " --vocab " + at("vocab") +
                         " --out " + at("locked/s")),
                 "Permission denied");
  expect_refused(as_user("tokenize --model " + at("vocab") + " --input " + at("text.txt") +
                         " --output " + at("locked/t.jsonl")),
                 "Permission denied");
  ASSERT_EQ(shell("chmod -R u+w " + at("locked")).code, 0);
  EXPECT_EQ(digest("locked/old"), before);
  EXPECT_EQ(run(pretrain("locked/old", "--resume")).code, 0);
}

TEST_F(Unwritable, ASmallDisk) {
  make_shards();
  make_recipe();
  std::filesystem::create_directories(at("disk"));
  if (shell("mount -t tmpfs -o size=128k tmpfs " + at("disk")).code != 0) {
    GTEST_SKIP() << "no small disk can be mounted here; AWriteThatFindsNoSpace stands for it";
  }
  const Ran ran = run(pretrain("disk/run"));
  EXPECT_EQ(shell("umount " + at("disk")).code, 0);
  expect_refused(ran, "No space left");
}

TEST_F(Unwritable, AWriteThatFindsNoSpace) {
  const auto shim =
      std::filesystem::path(TENFOLD_PROGRAM).parent_path() / "tests" / "libfault_shim.so";
  if (!std::filesystem::exists(shim)) GTEST_SKIP() << shim << " is not built";
  if (run("--build-info").out.find("-fsanitize") != std::string::npos) {
    GTEST_SKIP() << "sanitizers want to be preloaded first";
  }
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("whole")).code, 0);
  int refused = 0;
  for (const int number : {9, 33, 57}) {
    const std::string out = "full-" + std::to_string(number);
    const Ran ran =
        shell("LD_PRELOAD=" + shim.string() + " TENFOLD_FAULT=write:" + std::to_string(number) +
              ":ENOSPC $tenfold " + pretrain(out));
    if (ran.code != 0) {
      ++refused;
      expect_refused(ran, "No space left");
      EXPECT_EQ(count_lines(ran.err.substr(ran.err.find("tenfold: ["))), 1U) << ran.err;
    }
    const Ran more = run(pretrain(out, "--resume"));
    ASSERT_EQ(more.code, 0) << number << "\n" << more.err;
    EXPECT_EQ(digest(out), digest("whole")) << number;
  }
  EXPECT_GE(refused, 2) << "the chosen writes were none of the run's files";
}

}  // namespace
}  // namespace tenfold::testing

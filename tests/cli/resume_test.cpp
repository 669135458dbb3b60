// Runs that are stopped, killed or damaged go on to the very same end.
// Not here: the store and the trainer by themselves (tests/train).
#include <fcntl.h>

#include <chrono>
#include <thread>

#include "program.h"
#include "support/checksum.h"
#include "support/rng.h"

namespace tenfold::testing {
namespace {

class Resume : public ProgramTest {
 protected:
  /// What a run comes to: weights and training state of its newest checkpoint.
  uint64_t digest(const std::string& out) const {
    return xxh3_64(slurp(folder_ / out / "latest" / "model.safetensors") +
                   slurp(folder_ / out / "latest" / "training_state.safetensors"));
  }

  /// Starts the program and gives its process id.
  pid_t start(const std::string& arguments) const {
    const std::string command =
        "exec " + std::string(TENFOLD_PROGRAM) + " " + arguments + " >/dev/null 2>" + at(".err");
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    return child;
  }

  static int wait_for(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

TEST_F(Resume, ARunCutByItsTimeLimitGoesOnToTheSameEnd) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("whole")).code, 0);
  ASSERT_EQ(run(pretrain("parts", "--set train.max_seconds=0.01")).code, 0);
  const std::string config = slurp(folder_ / "parts" / "config.toml");
  EXPECT_EQ(run(pretrain("parts")).code, 2) << "a used run folder needs --resume";
  const Ran other = run(pretrain("parts", "--set train.steps=30 --resume"));
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("train.steps"), std::string::npos) << other.err;
  EXPECT_EQ(slurp(folder_ / "parts" / "config.toml"), config) << "a refused run changes nothing";
  const Ran more = run(pretrain("parts", "--resume"));
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(digest("whole"), digest("parts"));
}

TEST_F(Resume, KilledAtTwentyRandomMomentsItEndsTheSame) {
  make_shards();
  make_recipe();
  const std::string more = "--set train.steps=60 --set train.validate_every=0 ";
  ASSERT_EQ(run(pretrain("whole", more)).code, 0);
  RandomStream draw(7, "kill");
  int kills = 0, code = 1;
  while (kills < 20) {
    const pid_t child = start(pretrain("killed", more + "--resume"));
    std::this_thread::sleep_for(std::chrono::milliseconds(150 + draw.below(700)));
    ::kill(child, SIGKILL);
    code = wait_for(child);
    ++kills;
    if (code == 0) break;
  }
  const Ran last = run(pretrain("killed", more + "--resume"));
  ASSERT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(digest("whole"), digest("killed"));
  RecordProperty("kills", kills);
}

TEST_F(Resume, SigtermSavesAndExits143) {
  make_shards();
  make_recipe();
  const pid_t child =
      start(pretrain("stopped", "--set train.steps=1000000 --set train.save_every=1000000"));
  for (int i = 0; i < 100 && !std::filesystem::exists(at("stopped/metrics.jsonl")); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  ::kill(child, SIGTERM);
  EXPECT_EQ(wait_for(child), 143) << slurp(folder_ / ".err");
  EXPECT_TRUE(std::filesystem::exists(at("stopped/latest/model.safetensors")));
}

TEST_F(Resume, ADamagedNewestCheckpointFallsBackLoudly) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("run")).code, 0);
  const uint64_t before = digest("run");
  std::filesystem::resize_file(folder_ / "run" / "checkpoint-20" / "model.safetensors", 100);
  const Ran again = run(pretrain("run", "--resume"));
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("checkpoint-20"), std::string::npos) << again.err;
  EXPECT_EQ(digest("run"), before);
}

}  // namespace
}  // namespace tenfold::testing

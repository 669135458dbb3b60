// Runs that are stopped, killed or damaged go on to the very same end.
// Not here: the store and the trainer by themselves (tests/train).
#include <nlohmann/json.hpp>

#include "program.h"
#include "support/checksum.h"
#include "support/clock.h"
#include "support/rng.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class Resume : public ProgramTest {
 protected:
  /// Memory rather than a disk where there is some: a killed process loses nothing that the kernel
  /// holds, and a test of many saves does not wait for the disk.
  std::filesystem::path parent() const override {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ProgramTest::parent();
  }

  /// What a run comes to: weights and training state of its newest checkpoint.
  uint64_t digest(const std::string& out) const {
    return xxh3_64(slurp(folder_ / out / "latest" / "model.safetensors") +
                   slurp(folder_ / out / "latest" / "training_state.safetensors"));
  }

  /// Of the newest checkpoint; 0: none.
  int64_t saved_step(const std::string& out) const {
    int64_t newest = 0;
    const std::string prefix = "checkpoint-";
    if (!std::filesystem::exists(at(out))) return 0;
    for (const auto& entry : std::filesystem::directory_iterator(at(out))) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(prefix))
        newest = std::max<int64_t>(newest, std::stoll(name.substr(prefix.size())));
    }
    return newest;
  }

  /// Of the last whole line of the log; 0: none.
  int64_t logged_step(const std::string& out) const {
    std::string text = slurp(folder_ / out / "metrics.jsonl");
    text.resize(text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n'));
    if (text.empty()) return 0;
    return json::parse(text.substr(text.rfind('\n') + 1)).at("step");
  }

  /// When metrics.jsonl was last written to: it moves with the first update of a life.
  std::filesystem::file_time_type last_written(const std::string& out) const {
    std::error_code none_yet;
    return std::filesystem::last_write_time(folder_ / out / "metrics.jsonl", none_yet);
  }

  void kill_and_resume(int kills, int64_t steps);
};

/// One life in four is killed at a random moment of its start-up, the others some milliseconds
/// after a random step, near enough that all lives together cannot reach the end.
void Resume::kill_and_resume(int kills, int64_t steps) {
  constexpr int64_t kSaveEvery = 5;
  make_shards();
  make_recipe();
  const std::string more = "--set train.steps=" + std::to_string(steps) +
                           " --set train.validate_every=0 --set train.save_every=5 --resume";
  const Stopwatch watch;
  const pid_t whole = start(pretrain("whole", more));
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(at("whole/metrics.jsonl")); }));
  const double start_up = watch.seconds();
  ASSERT_EQ(wait_for(whole), 0) << slurp(folder_ / ".err");
  const int64_t furthest = steps / kills / 2;  // steps of a life
  constexpr double kOneStep = 0.01;            // seconds, about

  RandomStream draw(7, "kill");
  const auto sleep = [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  };
  int64_t saved = 0;
  int grown = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const auto before = last_written("killed");
    const pid_t child = start(pretrain("killed", more));
    if (kill % 4 == 0) {
      sleep(draw.uniform() * start_up);
    } else {
      const auto aim =
          saved + 1 + static_cast<int64_t>(draw.below(static_cast<uint64_t>(furthest)));
      EXPECT_TRUE(wait_until(
          [&] { return last_written("killed") != before && logged_step("killed") >= aim; }));
      sleep(draw.uniform() * kOneStep);
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(wait_for(child), 128 + SIGKILL) << "life " << kill << " ended by itself";
    const int64_t now = saved_step("killed");
    EXPECT_GE(now, saved) << "life " << kill << " lost a checkpoint";
    EXPECT_LE(logged_step("killed") - now, kSaveEvery) << "life " << kill << " lost more than that";
    grown += now > saved ? 1 : 0;
    saved = now;
  }
  EXPECT_LT(saved, steps);
  EXPECT_GT(grown, 0) << "no life saved anything";
  const Ran last = run(pretrain("killed", more));
  ASSERT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(saved_step("killed"), steps);
  EXPECT_EQ(digest("whole"), digest("killed"));
}

TEST_F(Resume, KilledAtTwentyRandomMomentsItEndsTheSame) { kill_and_resume(20, 400); }

class SlowResume : public Resume {};

TEST_F(SlowResume, KilledAtTwoHundredRandomMomentsItEndsTheSame) { kill_and_resume(200, 4000); }

TEST_F(Resume, ARunCutByItsTimeLimitGoesOnToTheSameEnd) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("whole")).code, 0);
  ASSERT_EQ(run(pretrain("parts", "--set train.max_seconds=0.01")).code, 0);
  const std::string config = slurp(folder_ / "parts" / "config.toml");
  const std::string log = slurp(folder_ / "parts" / "log.txt");
  EXPECT_EQ(run(pretrain("parts")).code, 2) << "a used run folder needs --resume";
  const Ran other = run(pretrain("parts", "--set train.steps=30 --resume"));
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("train.steps"), std::string::npos) << other.err;
  EXPECT_EQ(slurp(folder_ / "parts" / "config.toml"), config) << "a refused run changes nothing";
  EXPECT_EQ(slurp(folder_ / "parts" / "log.txt"), log) << "a refused run changes nothing";
  const Ran more = run(pretrain("parts", "--resume"));
  ASSERT_EQ(more.code, 0) << more.err;
  EXPECT_EQ(digest("whole"), digest("parts"));
}

TEST_F(Resume, TheLogKeepsWhatEveryLifeSaid) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("run", "--set train.max_seconds=0.01")).code, 0);
  const std::string first = slurp(folder_ / "run" / "log.txt");
  EXPECT_NE(first.find("rows of"), std::string::npos) << first;
  EXPECT_NE(first.find("{\"step\":"), std::string::npos) << first;
  ASSERT_EQ(run("--quiet " + pretrain("run", "--resume")).code, 0);
  const std::string both = slurp(folder_ / "run" / "log.txt");
  ASSERT_TRUE(both.starts_with(first)) << both;
  EXPECT_NE(both.find("resumed", first.size()), std::string::npos) << both;
  EXPECT_NE(both.find("{\"step\":20,", first.size()), std::string::npos) << both;
  std::ifstream lines(at("run/log.txt"));
  for (std::string line; std::getline(lines, line);) {
    ASSERT_GT(line.size(), 21U);
    EXPECT_EQ(line.substr(4, 1) + line.substr(10, 1) + line.substr(19, 2), "-TZ ") << line;
  }
}

TEST_F(Resume, SigtermSavesAndExits143) {
  make_shards();
  make_recipe();
  const pid_t child =
      start(pretrain("stopped", "--set train.steps=1000000 --set train.save_every=1000000"));
  ASSERT_TRUE(wait_until([&] { return logged_step("stopped") > 0; }));
  ::kill(child, SIGTERM);
  EXPECT_EQ(wait_for(child), 143) << slurp(folder_ / ".err");
  EXPECT_TRUE(std::filesystem::exists(at("stopped/latest/model.safetensors")));
  EXPECT_NE(slurp(folder_ / ".err").find("saved at step"), std::string::npos);
}

TEST_F(Resume, ASecondSignalDuringASaveEndsAtOnceAndLosesNothing) {
  make_shards();
  make_recipe();
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string out = "twice-" + std::to_string(signal);
    // A model whose checkpoint takes a while to write.
    const std::string big = pretrain(
        out,
        "--resume --set train.steps=4 --set train.validate_every=0 --set train.save_every=1 --set "
        "model.hidden_size=256 --set model.intermediate_size=1024 --set model.num_hidden_layers=8");
    const pid_t child = start(big);
    const auto saving = [&] {
      return std::filesystem::exists(at(out + "/.unfinished-checkpoint-2"));
    };
    ASSERT_TRUE(wait_until(saving));
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {  // equal signals that wait together are one
      ::kill(child, signal);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(code_of(status), 128 + signal) << slurp(folder_ / ".err");
    EXPECT_TRUE(saving()) << "the save was not left at once";
    EXPECT_EQ(saved_step(out), 1);
    const Ran more = run(big);
    ASSERT_EQ(more.code, 0) << more.err;
    EXPECT_EQ(json::parse(more.out).at("step"), 4);
    EXPECT_FALSE(saving());
  }
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

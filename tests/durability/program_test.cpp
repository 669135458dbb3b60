// The program itself over failing system calls: a few points in the fast suite, every one in the
// slow one. Not here: random moments (tests/cli/resume_test.cpp).
#include "cli/program.h"

#include "support/checksum.h"

namespace tenfold::testing {
namespace {

namespace fs = std::filesystem;

class ProgramFaults : public ProgramTest {
 protected:
  fs::path parent() const override {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ProgramTest::parent();
  }

  /// A run of 4 steps with two checkpoints, and the end of an undisturbed one of 6.
  void prepare() {
    make_shards();
    make_recipe();
    ASSERT_EQ(run(pretrain("whole", steps(6))).code, 0);
    // Cut short by its clock, not by another number of steps, which would be another schedule.
    ASSERT_EQ(run(pretrain("base", steps(6) + " --set train.max_seconds=0.000001")).code, 0);
    expected_ = digest("whole");
  }

  static std::string steps(int count) {
    return "--set train.steps=" + std::to_string(count) +
           " --set train.save_every=2 --set train.validate_every=0 --set train.tensorboard=false";
  }

  uint64_t digest(const std::string& out) const {
    return xxh3_64(slurp(folder_ / out / "latest" / "model.safetensors") +
                   slurp(folder_ / out / "latest" / "training_state.safetensors"));
  }

  /// Goes on from the base with the N-th system call below the run folder failing.
  Ran attempt(long n, const std::string& how) const {
    fs::remove_all(at("run"));
    fs::copy(at("base"), at("run"), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    return shell("LD_PRELOAD=" TENFOLD_FAULT_SHIM " TENFOLD_FAULT_FOLDER=" + at("run") +
                 " TENFOLD_FAULT=any:" + std::to_string(n) + ":" + how + " $tenfold " +
                 pretrain("run", steps(6) + " --resume"));
  }

  /// Whether the fault came before the end of the run; after it all must go on to the same end.
  bool disturbed(long n, const std::string& how) {
    SCOPED_TRACE(std::to_string(n) + ":" + how);
    const Ran ran = attempt(n, how);
    const bool killed = ran.code == 128 + SIGKILL;
    if (how == "KILL" && !killed) {
      EXPECT_EQ(ran.code, 0) << ran.err;
      return false;
    }
    if (how != "KILL" && ran.code != 0) {
      EXPECT_TRUE(ran.code == 1 || ran.code == 4) << ran.code << ran.err;
      const size_t at = ran.err.rfind("tenfold: ");
      EXPECT_NE(at, std::string::npos) << ran.err;
      EXPECT_EQ(ran.err.find('\n', at), ran.err.size() - 1) << ran.err;
    }
    const Ran again = run(pretrain("run", steps(6) + " --resume"));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(digest("run"), expected_);
    return true;
  }

  uint64_t expected_ = 0;
};

TEST_F(ProgramFaults, KilledOrRefusedAtAFewCalls) {
  prepare();
  for (const long n : {9, 40, 75}) EXPECT_TRUE(disturbed(n, "KILL"));
  for (const long n : {25, 60}) disturbed(n, "EIO");
}

class SlowProgramFaults : public ProgramFaults {};

TEST_F(SlowProgramFaults, KilledAfterEveryCall) {
  prepare();
  long n = 1;
  while (n < 2000 && !HasFailure() && disturbed(n, "KILL")) ++n;
  EXPECT_GT(n, 75);
  RecordProperty("points", static_cast<int>(n - 1));
}

TEST_F(SlowProgramFaults, EveryCallFails) {
  prepare();
  long last = 1;
  while (last < 2000 && attempt(last, "KILL").code != 0) last += 10;
  for (long n = 1; n < last && !HasFailure(); ++n) {
    for (const char* how : {"EIO", "ENOSPC"}) disturbed(n, how);
  }
}

}  // namespace
}  // namespace tenfold::testing

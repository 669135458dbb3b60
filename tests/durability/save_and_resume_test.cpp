// Every system call of one resume and one save fails in turn, or is the last one of the process:
// what is visible stays whole, and the next start ends at the very same bits.
// Not here: random moments and the real program (tests/cli/resume_test.cpp, program_test.cpp).
#include "durability/toy_run.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
using testing::end_of;
using testing::Ending;
using testing::RunEnd;
using testing::train_apart;
using testing::visible_checkpoints;

constexpr int64_t kBase = 4;   // checkpoints 2 and 4 stand before each attempt
constexpr int64_t kSteps = 6;  // one save more, after which checkpoint 2 goes

class SaveAndResume : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(train_apart(base(), kBase, "").code, 0);
    ASSERT_EQ(visible_checkpoints(base()), (std::vector<int64_t>{2, 4}));
    ASSERT_EQ(train_apart(whole(), kSteps, "").code, 0);
    expected_ = end_of(whole());
    ASSERT_FALSE(expected_.weights.empty() || expected_.losses.empty());
  }

  fs::path base() const { return folder_.path() / "base"; }
  fs::path whole() const { return folder_.path() / "whole"; }
  fs::path run() const { return folder_.path() / "run"; }

  /// One attempt from the base under the fault; `prepare` may damage the run before.
  Ending attempt(const std::string& fault) {
    fs::remove_all(run());
    fs::copy(base(), run(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    if (prepare_) prepare_(run());
    return train_apart(run(), kSteps, fault);
  }

  /// Tries the fault at every call until a run comes to its end before its turn.
  template <typename Judge>
  long sweep(const std::string& call, const std::string& how, Judge judge) {
    for (long n = 1; n < 2000; ++n) {
      const std::string fault = fmt::format("{}:{}:{}", call, n, how);
      SCOPED_TRACE(fault);
      const Ending ending = attempt(fault);
      const bool reached = ending.killed() || ending.calls >= n;
      if (!reached) {
        EXPECT_EQ(ending.code, 0) << ending.err;
        return n - 1;
      }
      judge(ending);
      check_state();
      if (HasFailure()) return n;
    }
    ADD_FAILURE() << "no end";
    return 0;
  }

  /// What stands is whole, and the next start comes to the same end as a run that nothing
  /// disturbed.
  void check_state() {
    const auto before = visible_checkpoints(run());
    EXPECT_GE(before.size(), least_);
    const Ending again = train_apart(run(), kSteps, "");
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_TRUE(end_of(run()) == expected_);
    EXPECT_EQ(visible_checkpoints(run()), (std::vector<int64_t>{kBase, kSteps}));
    for (const auto& entry : fs::directory_iterator(run())) {
      const std::string name = entry.path().filename().string();
      EXPECT_TRUE(name == ".lock" || name[0] != '.') << name << " was left behind";
    }
  }

  testing::ScratchFolder folder_;
  RunEnd expected_;
  size_t least_ = 2;  // whole checkpoints that stand at any time
  std::function<void(const fs::path&)> prepare_;
};

/// A failure is one line with the exit code of a failed run or a checkpoint that cannot be read.
void stops_clearly(const Ending& ending) {
  if (ending.code == 0) return;  // a call whose failure loses nothing
  EXPECT_TRUE(ending.code == 1 || ending.code == 4) << ending.code << " " << ending.err;
  EXPECT_EQ(ending.err.find('\n'), std::string::npos) << ending.err;
  EXPECT_NE(ending.err.find("run"), std::string::npos) << ending.err << " names no file";
}

void goes_on(const Ending& ending) { EXPECT_EQ(ending.code, 0) << ending.err; }

TEST_F(SaveAndResume, KilledAfterAnyCall) {
  const long points =
      sweep("any", "KILL", [](const Ending& ending) { EXPECT_TRUE(ending.killed()); });
  EXPECT_GT(points, 60) << "the shim sees the calls of a save";
  RecordProperty("points", static_cast<int>(points));
}

TEST_F(SaveAndResume, AnyCallFailsWithAnInputOutputError) {
  EXPECT_GT(sweep("any", "EIO", stops_clearly), 60);
}

TEST_F(SaveAndResume, TheDiskIsFullAtAnyCall) {
  for (const char* call : {"open", "write", "fsync", "rename", "mkdir", "symlink"}) {
    EXPECT_GT(sweep(call, "ENOSPC", stops_clearly), 0) << call;
  }
}

TEST_F(SaveAndResume, InterruptedCallsAreRepeated) {
  for (const char* call :
       {"open", "read", "write", "fsync", "rename", "ftruncate", "symlink", "flock"}) {
    EXPECT_GT(sweep(call, "EINTR", goes_on), 0) << call;
  }
}

TEST_F(SaveAndResume, ShortReadsAndWritesAreCarriedOn) {
  for (const char* call : {"read", "write"}) EXPECT_GT(sweep(call, "SHORT", goes_on), 0) << call;
}

/// The newest checkpoint is damaged: going back to the one before it may be disturbed too.
TEST_F(SaveAndResume, KilledAfterAnyCallWhileGoingBack) {
  prepare_ = [](const fs::path& run) { fs::resize_file(run / "checkpoint-4" / "toy.bin", 3); };
  least_ = 1;
  for (long n = 1;; ++n) {
    SCOPED_TRACE(n);
    ASSERT_LT(n, 2000);
    const Ending ending = attempt(fmt::format("any:{}:KILL", n));
    if (!ending.killed()) {
      EXPECT_EQ(ending.code, 0) << ending.err;
      EXPECT_NE(ending.log.find("checkpoint-4 is damaged"), std::string::npos) << ending.log;
      break;
    }
    const Ending again = train_apart(run(), kSteps, "");
    ASSERT_EQ(again.code, 0) << again.err;
    ASSERT_TRUE(end_of(run()) == expected_);
  }
}

}  // namespace
}  // namespace tenfold::train

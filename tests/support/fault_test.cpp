// Atomic writes when system calls fail: this binary runs itself again over the fault shim.
// Not here: whole checkpoints, which the training tests put over the same shim.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/files.h"
#include "tenfold/error.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;

const char* const kChildVariable = "TENFOLD_FAULT_CHILD";

std::string new_text() { return std::string(3 << 20, 'n') + "end"; }

// Overwrites the file named by the environment; the exit code tells how it went.
TEST(FaultChild, OverwritesOneFile) {
  const char* path = std::getenv(kChildVariable);
  if (path == nullptr) return;  // run by the tests below only
  try {
    AtomicFile file(path);
    const std::string text = new_text();
    for (size_t at = 0; at < text.size(); at += 500000) {
      file.write(std::string_view(text).substr(at, 500000));
    }
    file.commit();
    ::_exit(10);
  } catch (const Error& error) {
    ::_exit(error.kind() == ErrorKind::run ? 11 : 12);
  }
}

class Fault : public ::testing::Test {
 protected:
  Fault() : folder_(fs::temp_directory_path() / ("tenfold_fault_" + std::to_string(::getpid()))) {}
  void SetUp() override {
    if (std::string(TENFOLD_FAULT_SHIM).empty())
      GTEST_SKIP() << "sanitizers do not stand a preloaded shim";
  }
  ~Fault() override { fs::remove_all(folder_); }

  // The wait status of the child under the fault, with "old" in the file before.
  int overwrite_under(const std::string& fault) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_file_atomically(file(), "old");
    std::vector<std::string> environment = {"LD_PRELOAD=" TENFOLD_FAULT_SHIM,
                                            "TENFOLD_FAULT=" + fault,
                                            std::string(kChildVariable) + "=" + file().string()};
    std::vector<char*> variables;
    for (std::string& variable : environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    std::string program = "support_test";
    std::string filter = "--gtest_filter=FaultChild.*";
    char* arguments[] = {program.data(), filter.data(), nullptr};
    pid_t child = 0;
    EXPECT_EQ(
        ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, variables.data()), 0);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  fs::path file() const { return folder_ / "file"; }
  std::string text() const { return read_file(file(), 10 << 20); }
  size_t entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(Fault, AFailedCallLeavesTheOldFileAndNothingElse) {
  for (const std::string call :
       {"open:1", "write:1", "write:2", "write:3", "fsync:1", "rename:1"}) {
    for (const std::string how : {"EIO", "ENOSPC"}) {
      const int status = overwrite_under(call + ":" + how);
      ASSERT_TRUE(WIFEXITED(status)) << call;
      EXPECT_EQ(WEXITSTATUS(status), 11) << call << " " << how;
      EXPECT_EQ(text(), "old") << call << " " << how;
      EXPECT_EQ(entries(), 1u) << call << " " << how;
    }
  }
}

TEST_F(Fault, InterruptedAndShortCallsAreCarriedOn) {
  for (const std::string fault :
       {"open:1:EINTR", "write:1:EINTR", "write:2:EINTR", "write:1:SHORT", "write:2:SHORT",
        "fsync:1:EINTR", "rename:1:EINTR", "fsync:2:EINTR"}) {
    const int status = overwrite_under(fault);
    ASSERT_TRUE(WIFEXITED(status)) << fault;
    EXPECT_EQ(WEXITSTATUS(status), 10) << fault;
    EXPECT_TRUE(text() == new_text()) << fault;
    EXPECT_EQ(entries(), 1u) << fault;
  }
}

TEST_F(Fault, AProcessKilledAfterAnyCallLeavesOneWholeFile) {
  bool finished = false;
  bool saw_old = false;
  bool saw_new = false;
  for (int number = 1; number < 40 && !finished; ++number) {
    const int status = overwrite_under("any:" + std::to_string(number) + ":KILL");
    finished = WIFEXITED(status);
    const std::string now = text();
    EXPECT_TRUE(now == "old" || now == new_text()) << number;
    saw_old = saw_old || now == "old";
    saw_new = saw_new || (!finished && now == new_text());
  }
  EXPECT_TRUE(finished && saw_old && saw_new);
}

}  // namespace
}  // namespace tenfold

// Children: output, exit codes, signals, CPU time, and finding the program itself.
// Not here: tenfold as a child (tests/cli/study_test.cpp).
#include "support/process.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>

#include "tenfold/error.h"

namespace tenfold {
namespace {

class Process : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("process-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ChildProcess shell(const std::string& script) const {
    return ChildProcess({.program = "/bin/sh",
                         .arguments = {"-c", script},
                         .output = folder_ / "out",
                         .errors = folder_ / "err"});
  }
  static ProcessEnd wait(ChildProcess& child) {
    while (!child.ended()) ::poll(nullptr, 0, 1);
    return *child.ended();
  }
  std::string text(const char* name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

TEST_F(Process, OutputIsReplacedAndErrorsAreAdded) {
  for (int life = 0; life < 2; ++life) {
    ChildProcess child = shell("echo out; echo err >&2; exit 3");
    EXPECT_EQ(wait(child).code, 3);
  }
  EXPECT_EQ(text("out"), "out\n");
  EXPECT_EQ(text("err"), "err\nerr\n");
}

TEST_F(Process, ASignalIsNamedAndSaysSo) {
  ChildProcess child = shell("exec sleep 60");
  EXPECT_FALSE(child.ended());
  child.send(SIGKILL);
  const ProcessEnd end = wait(child);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(end.code, 128 + SIGKILL);
}

TEST_F(Process, CpuTimeIsTheChilds) {
  ChildProcess busy = shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
  EXPECT_GT(wait(busy).cpu_seconds, 0.005);
  ChildProcess idle = shell("sleep 0.05");
  EXPECT_LT(wait(idle).cpu_seconds, 0.05);
}

TEST_F(Process, AnInterruptOfTheParentsGroupDoesNotReachIt) {
  ChildProcess child = shell("exec sleep 60");
  while (::getpgid(child.id()) == ::getpgrp()) ::poll(nullptr, 0, 1);
  EXPECT_EQ(::getpgid(child.id()), child.id());
}

TEST_F(Process, IsEndedWithItsOwner) {
  pid_t id = 0;
  {
    const ChildProcess child = shell("exec sleep 60");
    id = child.id();
  }
  EXPECT_EQ(::kill(id, 0), -1);
}

TEST_F(Process, WhatCannotBeExecutedEndsWith127) {
  ChildProcess child({.program = folder_ / "none",
                      .arguments = {},
                      .output = folder_ / "out",
                      .errors = folder_ / "err"});
  EXPECT_EQ(wait(child).code, 127);
  EXPECT_THROW(ChildProcess({.program = "/bin/sh",
                             .arguments = {},
                             .output = folder_ / "no" / "out",
                             .errors = folder_ / "err"}),
               Error);
}

TEST_F(Process, ItsOwnProgramIsFoundAsAShellDoes) {
  EXPECT_EQ(program_path("/bin/sh"), "/bin/sh");
  EXPECT_TRUE(program_path("sh").is_absolute());
  EXPECT_EQ(program_path("no-such-program-anywhere"), "no-such-program-anywhere");
}

}  // namespace
}  // namespace tenfold

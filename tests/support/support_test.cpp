// Strings, CRC, queue, signals, terminal and processor: small cases checked by hand.
// Not here: files (files_test.cpp) and errors (error_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/cpu.h"
#include "support/cpu_load.h"
#include "support/crc32c.h"
#include "support/queue.h"
#include "support/signals.h"
#include "support/strings.h"
#include "support/terminal.h"
#include "tenfold/error.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;

TEST(CpuLoad, LeavesThreadsThatFindACoreBesideOthers) {
  EXPECT_EQ(threads_beside(0.0, 2, 2), 2);
  EXPECT_EQ(threads_beside(0.4, 2, 2), 2);
  EXPECT_EQ(threads_beside(1.0, 2, 2), 1);
  EXPECT_EQ(threads_beside(5.0, 2, 2), 1);    // someone has to go on
  EXPECT_EQ(threads_beside(40.0, 64, 4), 4);  // a large machine with room left
  EXPECT_EQ(threads_beside(61.0, 64, 16), 3);
}

TEST(CpuLoad, OwnWorkIsNotForeign) {
  CpuLoad load;
  volatile double sink = 0;
  while (load.seconds() < 0.2) sink = sink + 1;
  EXPECT_GT(load.own_cores(), 0.05);
  EXPECT_LT(load.own_cores(), 1.5);
  load.restart();
  EXPECT_LT(load.seconds(), 0.1);
}

TEST(Strings, SplitKeepsEmptyPieces) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

TEST(Strings, TrimTakesWhiteSpaceOfBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Strings, NearestNameForgivesTypingErrorsOnly) {
  const std::vector<std::string> names = {"steps", "learning_rate", "warmup", "out", "KIND"};
  EXPECT_EQ(nearest_name("stpes", names), "steps");
  EXPECT_EQ(nearest_name("learnig_rat", names), "learning_rate");
  EXPECT_EQ(nearest_name("Warmup", names), "warmup");
  EXPECT_EQ(nearest_name("kind", names), "KIND");
  EXPECT_EQ(nearest_name("ou", names), "out");
  EXPECT_EQ(nearest_name("zebra", names), "");
  EXPECT_EQ(nearest_name("x", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(did_you_mean("step", names), "; did you mean 'steps'?");
  EXPECT_EQ(did_you_mean("zebra", names), "");
}

TEST(Strings, SizesAndDurationsReadEasily) {
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
  EXPECT_EQ(human_count(950), "950");
  EXPECT_EQ(human_count(12345), "12.3k");
  EXPECT_EQ(human_count(4.56e6), "4.56M");
  EXPECT_EQ(human_count(999600), "1.00M");
  EXPECT_EQ(human_duration(0.25), "0.25s");
  EXPECT_EQ(human_duration(59.6), "1m00s");
  EXPECT_EQ(human_duration(185), "3m05s");
  EXPECT_EQ(human_duration(7620), "2h07m");
  EXPECT_EQ(human_duration(4 * 86400 + 3 * 3600), "4d03h");
  EXPECT_EQ(human_duration(-1), "?");
}

// RFC 3720 appendix B.4 and the usual check value of the polynomial.
TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), crc32c("123456789"));
  // Rotated right by 15, plus the constant, modulo 2^32.
  EXPECT_EQ(masked_crc32c("123456789"), 0xC78AB0E5u);
}

TEST(Queue, KeepsTheOrderAcrossThreads) {
  BoundedQueue<int> queue(2);
  std::jthread producer([&] {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.push(i));
    queue.close();
  });
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(Queue, ManyConsumersGetEveryItemOnce) {
  BoundedQueue<int> queue(3);
  std::atomic<int> sum{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        while (const auto item = queue.pop()) sum += *item;
      });
    }
    for (int i = 1; i <= 100; ++i) queue.push(i);
    queue.close();
  }
  EXPECT_EQ(sum, 5050);
}

TEST(Queue, TheProducersFailureComesAfterItsItems) {
  BoundedQueue<int> queue(2);
  queue.push(1);
  queue.fail(std::make_exception_ptr(std::runtime_error("first")));
  queue.fail(std::make_exception_ptr(std::runtime_error("second")));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_THROW(
      try { queue.pop(); } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "first");
        throw;
      },
      std::runtime_error);
}

TEST(Queue, CancelFreesAProducerThatWaits) {
  BoundedQueue<int> queue(1);
  queue.push(1);
  bool accepted = true;
  {
    std::jthread producer([&] { accepted = queue.push(2); });
    queue.cancel();
  }
  EXPECT_FALSE(accepted);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(Queue, WaitingCanEnd) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.pop_for(std::chrono::milliseconds(5)), std::nullopt);
  EXPECT_FALSE(queue.closed());
}

TEST(Signals, TheFirstIsNotedAndHandlersComeBack) {
  {
    const StopSignal stop;
    EXPECT_FALSE(stop.requested());
    EXPECT_EQ(stop.exit_code(), 0);
    std::raise(SIGTERM);
    EXPECT_TRUE(stop.requested());
    EXPECT_EQ(stop.signal_number(), SIGTERM);
    EXPECT_EQ(stop.exit_code(), 143);
    EXPECT_THROW(StopSignal(), Error);
  }
  const StopSignal again;
  EXPECT_FALSE(again.requested());
}

TEST(Signals, TheSecondEndsTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    const StopSignal stop;
    std::raise(SIGINT);
    std::raise(SIGINT);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
}

struct Screen {
  std::string text;
  double now = 100;

  Terminal::Options options(TerminalTraits traits) {
    Terminal::Options options;
    options.traits = traits;
    options.write = [this](std::string_view piece) { text += piece; };
    options.clock = [this] { return now; };
    return options;
  }
};

Progress step_of(int64_t done) { return {.task = "train", .done = done, .total = 100, .note = ""}; }

TEST(Terminal, PlainStreamsGetALineNowAndThen) {
  Screen screen;
  Terminal terminal(screen.options({}));
  for (int64_t step = 1; step <= 40; ++step) {
    terminal.update(step_of(step));
    screen.now += 1;
  }
  EXPECT_EQ(screen.text, "train 1/100 steps  0s\ntrain 31/100 steps  30s, 1m09s left\n");
  terminal.finish();
  EXPECT_THAT(screen.text, ::testing::EndsWith("train 40/100 steps  39s, 1m00s left\n"));
}

TEST(Terminal, LinesDoNotMixWithTheProgressLine) {
  Screen screen;
  Terminal terminal(screen.options({.redraws = true, .colors = false, .width = 40}));
  terminal.update(step_of(1));
  Log& log = terminal;
  log.warn("disk {}", "slow");
  EXPECT_EQ(screen.text, "train 1/100 steps  0s\r\x1b[2Kwarning: disk slow\ntrain 1/100 steps  0s");
  terminal.update(step_of(2));
  EXPECT_EQ(screen.text, "train 1/100 steps  0s\r\x1b[2Kwarning: disk slow\ntrain 1/100 steps  0s");
  screen.now += 1;
  screen.text.clear();
  terminal.update(step_of(3));
  EXPECT_EQ(screen.text, "\r\x1b[2Ktrain 3/100 steps  1s, 49s left");
  terminal.finish();
  EXPECT_THAT(screen.text, ::testing::EndsWith("\n"));
}

TEST(Terminal, QuietKeepsWarningsAndTheFile) {
  Screen screen;
  std::string file;
  auto options = screen.options({});
  options.quiet = true;
  options.copy = [&](std::string_view line) { file += line; };
  Terminal terminal(std::move(options));
  terminal.update(step_of(1));
  Log& log = terminal;
  log.info("hello");
  log.warn("careful");
  EXPECT_EQ(screen.text, "warning: careful\n");
  EXPECT_EQ(file, "hello\nwarning: careful\n");
}

TEST(Terminal, ProgressTextFitsTheWidth) {
  Progress progress = step_of(50);
  progress.loss = 2.5;
  progress.tokens_per_second = 12345;
  EXPECT_EQ(progress_text(progress, 60, 60.0, 0),
            "train 50/100 steps  loss 2.5000  12.3k tokens/s  1m00s, 1m00s left");
  EXPECT_EQ(progress_text(progress, 60, 60.0, 70).substr(0, 29), "train [##########..........] ");
  EXPECT_EQ(progress_text(progress, 60, 60.0, 70).size(), 70u);
  EXPECT_EQ(progress_text({.task = "read", .done = 7, .unit = "row", .note = "x"}, 2, {}, 0),
            "read 7 rows  2s  x");
}

TEST(Cpu, ReadsFlagsSiblingsAndQuota) {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / ("tenfold_cpu_" + std::to_string(::getpid()));
  fs::create_directories(root / "proc");
  fs::create_directories(root / "sys/fs/cgroup");
  std::ofstream(root / "proc/cpuinfo")
      << "processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: fpu avx2 avx512_bf16\n";
  std::ofstream(root / "sys/fs/cgroup/cpu.max") << "50000 100000\n";
  const CpuInfo info = read_cpu(root);
  fs::remove_all(root);
  EXPECT_EQ(info.model, "Test CPU");
  EXPECT_TRUE(info.avx2);
  EXPECT_TRUE(info.avx512_bf16);
  EXPECT_FALSE(info.avx512f);
  EXPECT_DOUBLE_EQ(info.quota_cores, 0.5);
  EXPECT_EQ(info.usable_cores, 1);
}

TEST(Cpu, ThisMachineHasCores) {
  const CpuInfo info = read_cpu();
  EXPECT_GE(info.usable_cores, 1);
  EXPECT_LE(info.physical_cores, info.logical_cores);
}

}  // namespace
}  // namespace tenfold

// A whole training run in a process of its own, so that it may be killed: the toy of the trainer's
// tests over checkpoints on disk, with one system call of it failing.
// Not here: which calls fail (the tests).
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "support/files.h"
#include "train/adamw.h"
#include "train/checkpoint_store.h"
#include "train/run_state.h"
#include "train/schedule.h"
#include "train/toy.h"
#include "train/trainer.h"

extern "C" {
void tenfold_set_fault(const char* text);
long tenfold_fault_count();
}

namespace tenfold::train::testing {

/// How a process ended.
struct Ending {
  int code = -1;    ///< exit code; 128 + signal where one ended it
  std::string err;  ///< what its Error said
  std::string log;  ///< its warnings, a line each
  long calls = 0;   ///< of the kind that the plan names, where it came to its end
  bool killed() const { return code == 128 + SIGKILL; }
};

/// What a run came to: weights and optimizer state of the last step, and its loss log.
struct RunEnd {
  std::string weights, optimizer, losses;
  bool operator==(const RunEnd&) const = default;
};

class WarningsTo final : public Log {
 public:
  explicit WarningsTo(std::filesystem::path path) : path_(std::move(path)) {}

 protected:
  void line(Level level, std::string_view text) override {
    if (level != Level::info) std::ofstream(path_, std::ios::app) << text << '\n';
  }

 private:
  std::filesystem::path path_;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Trains to `steps` in RUN, saving every second step and keeping two; goes on where there is a
/// checkpoint.
inline void train_toy(const std::filesystem::path& run, int64_t steps, Log& log) {
  at::set_num_threads(1);
  ToyTrainee toy;
  ToyStream stream{5};
  TrainOptions options;
  options.steps = steps;
  options.log_every = 1;
  options.save_every = 2;
  options.validate_every = 2;  // always better, so that RUN/best moves too
  options.optimizer = config::Choice::of("adamw", AdamWOptions{.learning_rate = 0.05});
  options.schedule = config::Choice::of("constant", ConstantOptions{});
  run_training({.trainee = toy,
                .batches = stream,
                .options = options,
                .run = run,
                .write_model = [&](const std::filesystem::path& folder) { toy.write(folder); },
                .read_model = [&](const std::filesystem::path& folder) { toy.read(folder); },
                .validate =
                    [&] {
                      return Metrics{{"loss", -std::stod(stream.position())}};
                    },
                .config = {{"train.seed", "1"}},
                .stop_signal = {},
                .hooks = {},
                .resume = true,
                .log = log});
}

/// train_toy in a child process under the fault ("" for none). The parent never trains: a process
/// whose autograd has run may not be copied.
inline Ending train_apart(const std::filesystem::path& run, int64_t steps,
                          const std::string& fault) {
  const auto notes = std::filesystem::path(run.string() + ".notes");
  std::filesystem::remove_all(notes);
  std::filesystem::create_directories(notes);
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 0;
    std::string err;
    WarningsTo log(notes / "log");
    ::setenv("TENFOLD_FAULT_FOLDER", run.c_str(), 1);
    tenfold_set_fault(fault.c_str());
    try {
      train_toy(run, steps, log);
    } catch (const Error& error) {
      code = error.exit_code();
      err = error.what();
    } catch (const std::exception& error) {
      code = 99;  // nothing but an Error may leave the library
      err = error.what();
    }
    const long calls = tenfold_fault_count();
    tenfold_set_fault("");
    std::ofstream(notes / "err") << err;
    std::ofstream(notes / "calls") << calls;
    ::_exit(code);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  Ending ending;
  ending.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ending.err = slurp(notes / "err");
  ending.log = slurp(notes / "log");
  std::ifstream(notes / "calls") >> ending.calls;
  return ending;
}

inline RunEnd end_of(const std::filesystem::path& run) {
  return {.weights = slurp(run / "latest" / "toy.bin"),
          .optimizer = slurp(run / "latest" / "training_state.safetensors"),
          .losses = timeless_metrics(run)};
}

/// Steps of the checkpoints that stand under their final name, in order; each must be whole and
/// readable.
inline std::vector<int64_t> visible_checkpoints(const std::filesystem::path& run) {
  std::vector<int64_t> steps;
  if (!std::filesystem::exists(run)) return steps;
  for (const auto& entry : std::filesystem::directory_iterator(run)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("checkpoint-")) continue;
    const auto fault = manifest_fault(entry.path());
    EXPECT_FALSE(fault) << name << ": " << fault.value_or("");
    if (fault) continue;
    EXPECT_EQ(fmt::format("checkpoint-{}", read_run_state(entry.path()).step), name);
    EXPECT_FALSE(slurp(entry.path() / "toy.bin").empty());
    steps.push_back(read_run_state(entry.path()).step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

}  // namespace tenfold::train::testing

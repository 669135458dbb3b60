// Running the program as a user does: a command line in, exit code, output and errors out.
// Not here: what any command should say (the tests).
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

namespace tenfold::testing {

struct Ran {
  int code = 0;
  std::string out, err;
};

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void spill(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// The exit code, or 128 + the signal that killed it, as a shell says it.
inline int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The repository's own folder.
inline std::filesystem::path source_folder() {
  return std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
}

/// Lines of a text.
inline size_t count_lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A folder of its own for every test, removed after it; small generated text, a vocabulary and
/// shards on demand.
class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = parent() / ("tenfold-cli-" + std::to_string(::getpid()) + "-" +
                          ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  virtual std::filesystem::path parent() const { return std::filesystem::temp_directory_path(); }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// A shell command line in which `$tenfold` is the program.
  Ran shell(const std::string& line, const std::string& input = "") const {
    spill(folder_ / ".in", input);
    const std::string command = std::string("export tenfold=") + TENFOLD_PROGRAM + "; { " + line +
                                "; } <" + at(".in") + " >" + at(".out") + " 2>" + at(".err");
    const int status = std::system(command.c_str());
    return {code_of(status), slurp(folder_ / ".out"), slurp(folder_ / ".err")};
  }

  /// `arguments` as a shell would split them; standard input from `input`.
  Ran run(const std::string& arguments, const std::string& input = "") const {
    return shell("$tenfold " + arguments, input);
  }

  /// Starts the program and gives its process id; what it says goes to .out and .err.
  pid_t start(const std::string& arguments) const {
    const std::string command = "exec " + std::string(TENFOLD_PROGRAM) + " " + arguments + " >" +
                                at(".out") + " 2>" + at(".err");
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
    return code_of(status);
  }

  /// Looks every half millisecond; whether it came true in time.
  static bool wait_until(const std::function<bool()>& condition,
                         std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
    return true;
  }

  /// Sentences a tiny model can learn something from.
  void make_corpus() const {
    std::string text;
    const char* animals[] = {"dog", "cat", "bird", "horse", "fish"};
    const char* verbs[] = {"sees", "likes", "follows", "hears"};
    for (int i = 0; i < 400; ++i) {
      text += std::string("the ") + animals[i % 5] + " " + verbs[i % 4] + " a " +
              animals[(i / 5) % 5] + " near the " + animals[(i * 7) % 5] + "\n";
    }
    spill(folder_ / "text.txt", text);
  }

  void make_shards() const {
    make_corpus();
    ASSERT_EQ(run("vocab --input " + at("text.txt") + " --size 80 --out " + at("vocab")).code, 0);
    ASSERT_EQ(run("prepare --input " + at("text.txt") + " --vocab " + at("vocab") + " --out " +
                  at("shards"))
                  .code,
              0);
  }

  /// A recipe of a model so small that a step takes a millisecond.
  void make_recipe() const {
    spill(folder_ / "tiny.toml",
          "[model]\nhidden_size = 16\nnum_hidden_layers = 2\nnum_attention_heads = "
          "2\nintermediate_size = 32\n"
          "max_position_embeddings = 32\n[data]\nmax_length = 32\nheld_out = "
          "0.1\n[train]\nbatch_tokens = 256\n"
          "steps = 20\nvalidate_every = 10\nsave_every = 5\nlog_every = 1\n");
  }

  std::string pretrain(const std::string& out, const std::string& more = "") const {
    return "pretrain --threads 1 --config " + at("tiny.toml") +
           " --set data.shards=" + at("shards") + " --out " + at(out) + " " + more;
  }

  /// A pre-trained model in "mlm/latest" and a classifier of two labels in "tuned/best".
  void make_classifier(const std::string& labels = "animal other") const {
    make_shards();
    make_recipe();
    ASSERT_EQ(run(pretrain("mlm")).code, 0);
    const std::string first = labels.substr(0, labels.find(' '));
    const std::string second = labels.substr(labels.find(' ') + 1);
    std::string rows;
    for (int i = 0; i < 60; ++i) {
      rows += i % 2 == 0 ? "the dog sees a cat\t" + first + "\n"
                         : "a bird likes the fish\t" + second + "\n";
    }
    spill(folder_ / "task.tsv", rows);
    const Ran tuned = run(finetune("tuned"));
    ASSERT_EQ(tuned.code, 0) << tuned.err;
  }

  std::string finetune(const std::string& out, const std::string& more = "") const {
    return "finetune --threads 1 --model " + at("mlm/latest") +
           " --set data.train=" + at("task.tsv") + " --set data.dev=" + at("task.tsv") +
           " --set train.steps=30 --set train.validate_every=15 --set data.max_length=16 --set "
           "train.batch_tokens=128 --set train.optimizer.kind=adamw --set "
           "train.optimizer.adamw.learning_rate=1e-2 --out " +
           at(out) + " " + more;
  }

  std::filesystem::path folder_;
};

}  // namespace tenfold::testing

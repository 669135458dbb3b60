// Running the program as a user does: a command line in, exit code, output and errors out.
// Not here: what any command should say (the tests).
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

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

/// A folder of its own for every test, removed after it; small generated text, a vocabulary and
/// shards on demand.
class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tenfold-cli-" + std::to_string(::getpid()) + "-" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string at(const std::string& name) const { return (folder_ / name).string(); }

  /// `arguments` as a shell would split them; standard input from `input`.
  Ran run(const std::string& arguments, const std::string& input = "") const {
    spill(folder_ / ".in", input);
    const std::string command = std::string(TENFOLD_PROGRAM) + " " + arguments + " <" + at(".in") +
                                " >" + at(".out") + " 2>" + at(".err");
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            slurp(folder_ / ".out"), slurp(folder_ / ".err")};
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

  std::filesystem::path folder_;
};

}  // namespace tenfold::testing

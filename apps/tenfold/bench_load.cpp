// From the start of a new process to its first sentence embedding; the parent holds the clock.
// Not here: a cold page cache (the first, uncounted start warms it).
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench_inputs.h"
#include "bench_works.h"
#include "model/checkpoint.h"
#include "support/clock.h"
#include "support/cpu_load.h"
#include "support/fail.h"

extern char** environ;

namespace tenfold::app {
namespace {

constexpr const char* kLoadCase = "bert-base/first-embedding";
constexpr const char* kLoadWhere = "bench load";

/// The measured process: weights, tokenizer, one sentence, mean over its tokens; then out at once.
[[noreturn]] void first_embedding(const std::filesystem::path& folder) {
  const torch::NoGradGuard no_gradients;
  const auto encoding =
      Tokenizer::load(folder).encode_single("The first embedding of a new process.");
  const auto encoder = model::load_model(folder, {.map_weights = true}).encoder;
  encoder->eval();
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths({static_cast<int64_t>(encoding.size())});
  block.ids_T = torch::tensor(encoding.ids, torch::kInt64);
  const Tensor mean_D = encoder->forward(block, PassContext::evaluation()).hidden_TD.mean(0);
  const double sum = mean_D.sum().item<double>();
  const nlohmann::ordered_json line = {
      {"width", mean_D.size(0)}, {"rss", peak_mib()}, {"sum", sum}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
  _exit(0);
}

struct FirstEmbedding {
  double seconds = 0;
  double rss_mib = 0;
  double foreign_cores = 0;
};

FirstEmbedding start_once(const std::vector<std::string>& command) {
  std::array<int, 2> pipe_ends{};
  require(pipe(pipe_ends.data()) == 0, ErrorKind::run, kLoadWhere, "no pipe: {}",
          std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
  posix_spawn_file_actions_addclose(&actions, pipe_ends[1]);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const CpuLoad guard;
  const Stopwatch watch;
  pid_t child = 0;
  const int error =
      posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  const std::unique_ptr<FILE, int (*)(FILE*)> reader(fdopen(pipe_ends[0], "r"), fclose);
  require(error == 0, ErrorKind::run, kLoadWhere, "cannot start a new process: {}",
          std::strerror(error));
  std::array<char, 512> line{};
  const bool answered = fgets(line.data(), line.size(), reader.get()) != nullptr;
  FirstEmbedding result{.seconds = watch.seconds()};
  int status = 0;
  waitpid(child, &status, 0);
  result.foreign_cores = guard.foreign_cores();
  const auto json = nlohmann::json::parse(answered ? line.data() : "", nullptr, false);
  require(json.is_object() && json.contains("rss"), ErrorKind::run, kLoadWhere,
          "the new process gave no embedding");
  result.rss_mib = json["rss"].get<double>();
  return result;
}

}  // namespace

void bench_load(const BenchTimer& timer) {
  const BenchOptions& options = timer.options();
  if (!timer.wants(kLoadCase)) return;
  const auto folder = bench_model(options, "bert-base");
  require(!folder.empty(), ErrorKind::data, kLoadWhere,
          "no model in {}: make it with 'peers.py make --case bert-base --cache {}'",
          (options.cache / "bert-base").string(), options.cache.string());
  if (options.child) first_embedding(folder);
  const std::vector<std::string> command = {"tenfold",   "bench",
                                            "load",      "--child",
                                            "--threads", std::to_string(options.threads),
                                            "--cache",   options.cache.string()};
  start_once(command);
  std::vector<double> seconds, rss;
  for (int round = 0; round < options.rounds; ++round) {
    const FirstEmbedding result = start_once(command);
    if (result.foreign_cores > kBusyCores) {
      const nlohmann::ordered_json line = {{"case", std::string("load/") + kLoadCase},
                                           {"peer", "tenfold"},
                                           {"threads", options.threads},
                                           {"groups", 1},
                                           {"clean", 0},
                                           {"foreign_cores", result.foreign_cores}};
      bench_remark("guard " + line.dump());
    }
    seconds.push_back(result.seconds);
    rss.push_back(result.rss_mib);
  }
  timer.emit(kLoadCase, "time", "s", seconds);
  timer.emit(kLoadCase, "peak-rss", "MiB", rss);
}

}  // namespace tenfold::app

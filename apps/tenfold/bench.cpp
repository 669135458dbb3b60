// Chooses a benchmark by name and sets its threads.
// Not here: the benchmarks (bench_*.cpp).
#include "bench.h"

#include <map>

#include "bench_works.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tensor/threads.h"

namespace tenfold::app {
namespace {

struct NamedBench {
  std::string name;
  void (*run)(const BenchTimer&);
};

const std::vector<NamedBench>& benches() {
  static const std::vector<NamedBench> list = {
      {"roof", bench_roof},           {"tokenize", bench_tokenize},
      {"encode", bench_encode},       {"train-step", bench_train_step},
      {"update", bench_update},       {"load", bench_load},
      {"attention", bench_attention}, {"residual", bench_residual}};
  return list;
}

}  // namespace

const std::vector<std::string>& bench_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const NamedBench& bench : benches()) out.push_back(bench.name);
    return out;
  }();
  return names;
}

std::string bench_peer(const BenchOptions& options) {
  std::string name = options.dtype == "bfloat16" ? "tenfold-bf16" : "tenfold";
  if (options.device != "cpu") name += "-cuda";
  if (options.recompute) name += "-recompute";
  if (!options.variant.empty()) name += "-" + options.variant;
  return name;
}

int run_bench(const BenchOptions& options) {
  require(options.threads > 0 && options.rounds > 0 && options.seconds > 0 && options.megabytes > 0,
          ErrorKind::usage, "bench", "threads, rounds, seconds and megabytes must be above 0");
  for (const NamedBench& bench : benches()) {
    if (bench.name != options.name) continue;
    set_threads(options.threads);
    bench.run(BenchTimer(options));
    return 0;
  }
  fail(ErrorKind::usage, "bench", "no benchmark '{}'{}; there are {}", options.name,
       did_you_mean(options.name, bench_names()), join(bench_names(), ", "));
}

}  // namespace tenfold::app

// Attention by kind: the cases of the peers' harness and more, each in a process of its own, so
// that peak memory is the case's. Not here: what is timed (attention_work.h).
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>

#include "attention_choice.h"
#include "attention_work.h"
#include "bench_works.h"
#include "nn/attention_table.h"
#include "support/fail.h"
#include "support/rng.h"
#include "support/strings.h"
#include "tensor/device.h"

extern char** environ;

namespace tenfold::app {
namespace {

constexpr const char* kWhere = "bench attention";
constexpr double kMebibyte = 1 << 20;
constexpr double kMemoryShare = 0.6;        // of what is free, for the scores of a case
constexpr double kScoreCopies = 3;          // weights, their gradient, and one more on the way
constexpr int64_t kYardstickLength = 8192;  // longest case of the yardstick that nobody asked for
constexpr int64_t kCheckedLength = 1024;    // longest case whose softmax is held against libtorch's
constexpr double kLargestDifference = 1e-4, kLargestNarrowDifference = 5e-2;

enum class Timed : uint8_t { mixing, layer, decoding, encoder };

struct AttentionCase {
  std::string name;
  Timed timed = Timed::mixing;
  std::vector<int64_t> lengths;
  See see = See::all;
};

/// 16 sequences of a sixteenth of `longest` up to it.
std::vector<int64_t> ragged_lengths(int64_t longest) {
  RandomStream random(0, "bench attention lengths");
  std::vector<int64_t> lengths(16, longest);
  for (size_t i = 1; i < lengths.size(); ++i) {
    lengths[i] = longest / 16 +
                 static_cast<int64_t>(random.below(static_cast<uint64_t>(longest - longest / 16)));
  }
  return lengths;
}

std::vector<AttentionCase> attention_cases() {
  std::vector<AttentionCase> cases;
  const auto add = [&](const std::string& stem, Timed timed, const std::vector<int64_t>& lengths) {
    cases.push_back({stem + "/full", timed, lengths, See::all});
    cases.push_back({stem + "/causal", timed, lengths, See::past});
  };
  for (int64_t n = 512; n <= 65536; n *= 2) add(fmt::format("n{}", n), Timed::mixing, {n});
  for (const int64_t n : {512, 4096})
    add(fmt::format("ragged{}", n), Timed::mixing, ragged_lengths(n));
  add("layer16x128", Timed::layer, std::vector<int64_t>(16, 128));
  for (const int64_t n : {512, 2048, 8192}) add(fmt::format("layer{}", n), Timed::layer, {n});
  for (const int64_t n : {512, 2048, 8192})
    cases.push_back({fmt::format("decode{}/causal", n), Timed::decoding, {n}, See::past});
  // Of BERT-base as rows of BERT's lengths, and as one long one.
  cases.push_back({"bert-base-4x128/full", Timed::encoder, {128, 128, 128, 128}, See::all});
  for (const int64_t n : {512, 4096})
    cases.push_back({fmt::format("bert-base-{}/full", n), Timed::encoder, {n}, See::all});
  return cases;
}

std::vector<std::string> kinds_to_time(const BenchOptions& options) {
  if (!options.kinds.empty()) return options.kinds;
  std::vector<std::string> kinds{kFlashKind};
  for (const auto& kind : nn::attention_table().kinds()) kinds.push_back(kind.name);
  return kinds;
}

void check_settings(const BenchOptions& options, const std::vector<std::string>& kinds) {
  for (const std::string& setting : options.settings) {
    const std::string kind = setting.substr(0, setting.find('.'));
    require(kind.size() < setting.size(), ErrorKind::usage, kWhere,
            "--set {}: expected KIND.option=value", setting);
    require(options.child || std::find(kinds.begin(), kinds.end(), kind) != kinds.end(),
            ErrorKind::usage, kWhere, "--set {}: '{}' is not measured{}", setting, kind,
            did_you_mean(kind, kinds));
  }
}

/// The settings of one kind, without its name.
std::vector<std::string> settings_of(const BenchOptions& options, const std::string& kind) {
  std::vector<std::string> settings;
  for (const std::string& setting : options.settings) {
    if (setting.starts_with(kind + ".")) settings.push_back(setting.substr(kind.size() + 1));
  }
  return settings;
}

AttentionWork work_of(const BenchOptions& options, const std::string& kind,
                      const AttentionCase& one) {
  AttentionWork work{.kind = kind,
                     .choice = {},
                     .lengths = one.lengths,
                     .see = one.see,
                     .type = parse_dtype(options.dtype)};
  if (kind != kFlashKind) work.choice = attention_choice(kind, settings_of(options, kind));
  return work;
}

/// MiB that new memory may take now.
double free_mib() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:")) return std::stod(line.substr(13)) / 1024;
  }
  return INFINITY;
}

/// Why a kind cannot do a case here; empty where it can.
std::string objection(const BenchOptions& options, const AttentionWork& work,
                      const AttentionCase& one) {
  if (work.kind == kValuesKind && one.timed == Timed::mixing) return "values are not mixed";
  if (work.kind == kFlashKind) {
    if (one.timed != Timed::mixing) return "the yardstick is no layer of a model";
    return options.kinds.empty() && one.lengths[0] > kYardstickLength
               ? "minutes a call; ask for it with --kinds flash"
               : "";
  }
  const nn::AttentionTraits traits = nn::attention_traits(work.choice);
  if (std::find(traits.kinds.begin(), traits.kinds.end(), one.see) == traits.kinds.end())
    return "the kind does not honour this mask";
  if (one.timed == Timed::decoding && !traits.incremental)
    return "the kind cannot be decoded step by step";
  const int64_t longest = *std::max_element(one.lengths.begin(), one.lengths.end());
  if (traits.fixed_length > 0 && traits.fixed_length < longest)
    return fmt::format("its options allow {} tokens at most", traits.fixed_length);
  if (!traits.exposes_scores || one.timed == Timed::encoder || one.timed == Timed::decoding)
    return "";
  double pairs = 0;
  for (const int64_t n : one.lengths) pairs += static_cast<double>(n) * static_cast<double>(n);
  const double needed = kScoreCopies * kWorkHeads * pairs * sizeof(float) / kMebibyte;
  if (needed <= kMemoryShare * free_mib()) return "";
  return fmt::format("scores of every pair take some {} MiB, {} are free", std::lround(needed),
                     std::lround(free_mib()));
}

/// This program once more for one kind and one case; its lines go where this one's go.
void run_child(const BenchOptions& options, const std::string& kind, const std::string& name) {
  std::vector<std::string> words{"tenfold",   "bench",
                                 "attention", "--child",
                                 "--kinds",   kind,
                                 "--cases",   name,
                                 "--threads", std::to_string(options.threads),
                                 "--rounds",  std::to_string(options.rounds),
                                 "--seconds", fmt::format("{}", options.seconds),
                                 "--dtype",   options.dtype};
  for (const std::string& setting : options.settings) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments.data(), environ);
  require(error == 0, ErrorKind::run, kWhere, "cannot start a new process: {}",
          std::strerror(error));
  int status = 0;
  waitpid(child, &status, 0);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, ErrorKind::run, kWhere,
          "{} of '{}' ended with {}", name, kind,
          WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                            : fmt::format("signal {}", WTERMSIG(status)));
}

void check_softmax(const AttentionWork& work, const AttentionCase& one) {
  if (work.kind != "softmax" || one.lengths[0] > kCheckedLength) return;
  const double difference = softmax_disagreement(work);
  bench_remark(fmt::format("agreement {} softmax: largest difference to libtorch's {:.1e}",
                           one.name, difference));
  require(difference <= (work.type == at::kFloat ? kLargestDifference : kLargestNarrowDifference),
          ErrorKind::run, kWhere, "softmax computes something else than libtorch: {:.1e} apart",
          difference);
}

/// The rate of the arithmetic, and its share of what libtorch's matrix product reaches right after.
void rate_arithmetic(const BenchTimer& timer, const std::string& name,
                     const std::vector<CallGroup>& groups, double gflops, at::ScalarType type) {
  timer.rate(name, groups, gflops, "rate", "GFLOP/s");
  timer.rate(name, groups, 100 * gflops / product_roof(type), "of-roof", "%");
}

void time_encoder(const BenchTimer& timer, const AttentionWork& work, const std::string& name) {
  const auto groups = timer.time(name, encoder_work(work));
  const auto tokens =
      static_cast<double>(std::accumulate(work.lengths.begin(), work.lengths.end(), int64_t{0}));
  timer.rate(name, groups, tokens, "tokens", "tokens/s");
  rate_arithmetic(timer, name, groups, encoder_gflops(work), work.type);
}

void time_decoding(const BenchTimer& timer, const AttentionWork& work, const std::string& name) {
  timer.rate(name, timer.time(name, decode_work(work)), 1, "tokens", "tokens/s");
}

void time_case(const BenchTimer& timer, const AttentionWork& work, const AttentionCase& one) {
  if (one.timed == Timed::encoder) return time_encoder(timer, work, one.name);
  if (one.timed == Timed::decoding) return time_decoding(timer, work, one.name);
  const auto run = one.timed == Timed::mixing ? mixing_work(work) : layer_work(work);
  if (!run) {
    bench_remark(
        fmt::format("{} skipped: '{}' mixes no queries, keys and values; its layer cases "
                    "measure it with its projections",
                    one.name, work.kind));
    return;
  }
  const double before = peak_mib();
  const auto groups = timer.time(one.name, run);
  std::vector<double> milliseconds;
  for (const CallGroup& group : groups) {
    milliseconds.push_back(1e3 * std::accumulate(group.begin(), group.end(), 0.0) /
                           static_cast<double>(group.size()));
  }
  const double growth = peak_mib() - before;
  if (one.timed == Timed::mixing) check_softmax(work, one);  // after: it needs memory of its own
  timer.emit(one.name, "time", "ms", milliseconds);
  timer.emit(one.name, "rss-growth", "MiB", {growth});
  rate_arithmetic(timer, one.name, groups,
                  one.timed == Timed::mixing ? mixing_gflops(work) : layer_gflops(work), work.type);
}

/// "performer(features=128)".
std::string variant_name(const BenchOptions& options, const std::string& kind) {
  const auto settings = settings_of(options, kind);
  return settings.empty() ? kind : fmt::format("{}({})", kind, join(settings, ","));
}

}  // namespace

void bench_attention(const BenchTimer& timer) {
  add_values_kind();
  const std::vector<std::string> kinds = kinds_to_time(timer.options());
  check_settings(timer.options(), kinds);
  for (const std::string& kind : kinds) {
    BenchOptions options = timer.options();
    options.variant = variant_name(options, kind);
    const BenchTimer own(options);
    for (const AttentionCase& one : attention_cases()) {
      if (!timer.wants(one.name)) continue;
      const AttentionWork work = work_of(options, kind, one);
      const std::string why_not = objection(options, work, one);
      if (!why_not.empty()) {
        bench_remark(fmt::format("{} of '{}' skipped: {}", one.name, kind, why_not));
      } else if (options.child) {
        time_case(own, work, one);
      } else {
        run_child(options, kind, one.name);
      }
    }
  }
}

}  // namespace tenfold::app

// RealFormer against the plain model of the same shape, BERT-base, in turn in one process: forward
// pass for inference and one update of training, at two lengths; and its attention alone in both
// forms of the carry at longer ones. Not here: other programs.
#include <fmt/format.h>

#include <ctime>
#include <memory>

#include "bench_inputs.h"
#include "bench_step.h"
#include "bench_works.h"
#include "nn/packing.h"
#include "nn/softmax_attention.h"
#include "op_profile.h"
#include "support/clock.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

constexpr size_t kTokensOfPass = 512;  // 4 x 128 or 1 x 512

/// 512 tokens in rows of `length`.
IdRows rows_of_length(const BenchIds& ids, size_t length) {
  std::vector<int64_t> all;
  for (const auto& row : ids.full) all.insert(all.end(), row.begin(), row.end());
  IdRows rows;
  for (size_t begin = 0; begin < kTokensOfPass; begin += length) {
    rows.emplace_back(all.begin() + static_cast<long>(begin),
                      all.begin() + static_cast<long>(begin + length));
  }
  return rows;
}

using Work = std::function<void()>;

/// Processor seconds of a call, all threads together: on a busy machine the ratio of two works
/// holds by that clock and not by the wall's.
double seconds_of(const Work& work, double least) {
  const std::clock_t start = std::clock();
  const auto seconds = [&] {
    return static_cast<double>(std::clock() - start) / static_cast<double>(CLOCKS_PER_SEC);
  };
  int calls = 0;
  do {
    work();
    ++calls;
  } while (seconds() < least);
  return seconds() / calls;
}

/// Rounds of plain, residual, plain, residual: the speed of the second relative to the first, of
/// each round.
void compare(const BenchTimer& timer, const std::string& name, const Work& plain,
             const Work& residual) {
  if (timer.options().profile) {
    print_profile(name + " plain", plain);
    print_profile(name + " residual", residual);
    return;
  }
  plain();
  residual();
  std::vector<double> plain_ms, residual_ms, ratios;
  const double end = monotonic_seconds() + timer.options().seconds;
  for (int round = 0; round < timer.options().rounds || monotonic_seconds() < end; ++round) {
    double sums[2] = {0, 0};
    for (int i = 0; i < 4; ++i)
      sums[i % 2] += seconds_of(i % 2 == 0 ? plain : residual, /*least=*/0.1) / 2;
    plain_ms.push_back(sums[0] * 1e3);
    residual_ms.push_back(sums[1] * 1e3);
    ratios.push_back(sums[0] / sums[1]);
  }
  timer.emit(name, "plain", "cpu-ms", plain_ms);
  timer.emit(name, "residual", "cpu-ms", residual_ms);
  timer.emit(name, "relative-speed", "1", ratios);
}

model::EncoderConfig shape_with(bool residual) {
  model::EncoderConfig config;
  config.residual_attention = residual;
  return config;
}

void compare_forward(const BenchTimer& timer, const std::string& name, const data::Batch& batch) {
  const torch::NoGradGuard no_gradients;
  const at::ScalarType type = parse_dtype(timer.options().dtype);
  const auto work = [&](bool residual) -> Work {
    const auto encoder = std::make_shared<model::Encoder>(shape_with(residual), model::Pooler::none,
                                                          0, torch::TensorOptions());
    encoder->eval();
    nn::compute_in(*encoder, type);
    nn::pack_for_inference(*encoder, type);
    return
        [encoder, &batch] { encoder->forward(batch.input("tokens"), PassContext::evaluation()); };
  };
  compare(timer, name, work(false), work(true));
}

void compare_step(const BenchTimer& timer, const std::string& name, const data::Batch& batch) {
  const auto work = [&](bool residual) -> Work {
    const auto step =
        std::make_shared<BenchStep>(StepOptions{.config = shape_with(residual),
                                                .dtype = parse_dtype(timer.options().dtype),
                                                .recompute = timer.options().recompute},
                                    batch);
    return [step] { step->run(); };
  };
  compare(timer, name, work(false), work(true));
}

/// 12 layers of attention, 12 heads of 64, one sequence: scores carried, or products summed.
void time_carry(const BenchTimer& timer, const std::string& name, int64_t length, bool products) {
  const torch::NoGradGuard no_gradients;
  constexpr int64_t kLayers = 12, kHeads = 12, kSize = 64;
  const auto layout = SequenceLayout::of_lengths({length});
  nn::SoftmaxPlan plan = nn::SoftmaxPlan::of({.query_layout = layout,
                                              .source_layout = layout,
                                              .mask = {},
                                              .bias = nullptr,
                                              .past = {},
                                              .pass = {},
                                              .row_keys_T = {}});
  plan.scale = 0.125;
  std::vector<double> layer_ms(kLayers);
  Tensor carry;
  std::vector<Tensor> below;
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const std::vector<Tensor> qkv = torch::randn({length, 3, kHeads, kSize}).unbind(1);
    plan.hand_on_scores = !products && layer + 1 < kLayers;
    const auto work = [&] {
      if (products) {
        nn::softmax_summed(qkv[0], qkv[1], qkv[2], below, plan);
        return Tensor();
      }
      return nn::softmax_fast(qkv[0], qkv[1], qkv[2], carry, plan).flat_scores;
    };
    Tensor handed_on;
    layer_ms[static_cast<size_t>(layer)] = 1e3 * seconds_of([&] { handed_on = work(); }, 0);
    carry = handed_on;
    below.insert(below.end(), {qkv[0], qkv[1]});
  }
  double total = 0;
  for (const double ms : layer_ms) total += ms;
  timer.emit_value(name, "12-layers", "cpu-ms", layer_ms, total);
  timer.emit(name, "peak-rss", "MiB", {peak_mib()});
}

}  // namespace

void bench_residual(const BenchTimer& timer) {
  const BenchIds ids = bench_ids(timer.options());
  for (const size_t length : {size_t{128}, size_t{512}}) {
    const IdRows rows = rows_of_length(ids, length);
    const data::Batch batch = masked_batch(rows);
    const std::string shape = fmt::format("{}x{}", rows.size(), length);
    if (timer.wants("forward/" + shape)) compare_forward(timer, "forward/" + shape, batch);
    if (timer.wants("train-step/" + shape)) compare_step(timer, "train-step/" + shape, batch);
  }
  for (const int64_t length : {512, 1024, 2048, 4096}) {
    const std::string scores = fmt::format("carry-scores/{}", length),
                      products = fmt::format("carry-products/{}", length);
    if (timer.wants(scores)) time_carry(timer, scores, length, /*products=*/false);
    if (timer.wants(products)) time_carry(timer, products, length, /*products=*/true);
  }
}

}  // namespace tenfold::app

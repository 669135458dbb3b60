// One optimiser step of masked-language-model training: forward, backward, AdamW, dropout on, 16
// rows of 128. Not here: data loading, clipping and logging, which the peers' step leaves out too.
#include "bench_inputs.h"
#include "bench_step.h"
#include "bench_works.h"
#include "op_profile.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

constexpr size_t kTrainRows = 16;

model::EncoderConfig shape_of(const std::string& model) {
  model::EncoderConfig config;
  if (model == "bert-4l256") {
    config.num_hidden_layers = 4;
    config.hidden_size = 256;
    config.num_attention_heads = 4;
    config.intermediate_size = 1024;
  }
  return config;
}

double step_flops(const model::EncoderConfig& config, const data::Batch& batch) {
  const auto d = static_cast<double>(config.hidden_size),
             v = static_cast<double>(config.vocab_size);
  const double head = 2 * batch.denominators.at("mlm") * (d * d + d * v);
  return 3 * (encoder_flops(config, batch.input("tokens").layout.lengths()) + head);
}

}  // namespace

void bench_train_step(const BenchTimer& timer) {
  const BenchIds ids = bench_ids(timer.options());
  const torch::Device device = parse_device(timer.options().device);
  const data::Batch batch =
      masked_batch(IdRows(ids.full.begin(), ids.full.begin() + kTrainRows)).to(device);
  for (const std::string model : {"bert-4l256", "bert-base"}) {
    const std::string name = model + "/16x128";
    if (!timer.wants(name)) continue;
    const model::EncoderConfig config = shape_of(model);
    BenchStep step({.config = config,
                    .dtype = parse_dtype(timer.options().dtype),
                    .recompute = timer.options().recompute,
                    .device = device},
                   batch);
    const auto one_step = [&] { step.run(); };
    if (timer.options().profile) {
      print_profile(name, one_step);
      continue;
    }
    const auto groups = timer.time(name, one_step);
    timer.rate(name, groups, static_cast<double>(batch.real_tokens()), "tokens", "tokens/s");
    timer.rate(name, groups, step_flops(config, batch) / 1e9, "rate", "GFLOP/s");
    timer.emit(name, "peak-rss", "MiB", {peak_mib()});
  }
}

}  // namespace tenfold::app

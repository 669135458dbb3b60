// One optimiser step of masked-language-model training: forward, backward, AdamW, dropout on, 16
// rows of 128. Not here: data loading, clipping and logging, which the peers' step leaves out too.
#include <memory>

#include "bench_inputs.h"
#include "bench_works.h"
#include "model/mlm_objective.h"
#include "nn/stack.h"
#include "op_profile.h"
#include "support/rng.h"
#include "tensor/device.h"
#include "train/accumulate.h"
#include "train/adamw.h"
#include "train/parameters.h"
#include "train/trainee.h"

namespace tenfold::app {
namespace {

constexpr int64_t kMaskId = 103;
constexpr double kMaskShare = 0.15;
constexpr size_t kTrainRows = 16;

/// Each position is masked with probability 0.15 and then always replaced, as the peers do.
data::Batch masked_batch(const IdRows& rows) {
  RandomStream random(0, "bench masks");
  std::vector<int64_t> lengths, ids, predicted, labels;
  data::Batch batch;
  for (const auto& row : rows) {
    batch.example_ids.push_back(batch.example_ids.size());
    lengths.push_back(static_cast<int64_t>(row.size()));
    for (int64_t id : row) {
      const bool masked = random.uniform() < kMaskShare;
      if (masked) {
        predicted.push_back(static_cast<int64_t>(ids.size()));
        labels.push_back(id);
      }
      ids.push_back(masked ? kMaskId : id);
    }
  }
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths(lengths);
  block.ids_T = torch::tensor(ids, torch::kInt64);
  batch.inputs.emplace("tokens", std::move(block));
  batch.fields.emplace("predicted_T", torch::tensor(predicted, torch::kInt64));
  batch.fields.emplace("label_ids", torch::tensor(labels, torch::kInt64));
  batch.denominators["mlm"] = static_cast<double>(labels.size());
  return batch;
}

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
  const auto tensors = torch::TensorOptions().dtype(torch::kFloat).device(device);
  const data::Batch batch =
      masked_batch(IdRows(ids.full.begin(), ids.full.begin() + kTrainRows)).to(device);
  for (const std::string model : {"bert-4l256", "bert-base"}) {
    const std::string name = model + "/16x128";
    if (!timer.wants(name)) continue;
    const model::EncoderConfig config = shape_of(model);
    const auto encoder = std::make_shared<model::Encoder>(config, model::Pooler::none, 0, tensors);
    const auto head = std::make_shared<model::MlmHead>(config, 1, tensors);
    model::MlmObjective objective(head);
    train::EncoderTrainee trainee(encoder, objective);
    const auto parameters = train::collect_parameters(trainee.modules());
    train::AdamW optimizer(parameters, {.learning_rate = 1e-4, .weight_decay = 0.01});
    nn::compute_in(*encoder, parse_dtype(timer.options().dtype));
    if (timer.options().recompute) nn::recompute_in_backward(*encoder);
    encoder->train();
    uint64_t step = 0;
    const auto one_step = [&] {
      const auto loss = train::accumulate_gradients(trainee, {batch},
                                                    {.training = true, .seed = 0, .step = step++});
      if (!device.is_cpu()) loss.means.cpu();  // waits, as a run does that looks at its loss
      optimizer.step(1.0);
      train::clear_gradients(parameters);
    };
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

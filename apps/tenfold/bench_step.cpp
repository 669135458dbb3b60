// The batch and the update.
// Not here: timing.
#include "bench_step.h"

#include "nn/stack.h"
#include "support/rng.h"
#include "tensor/device.h"
#include "train/accumulate.h"
#include "train/parameters.h"

namespace tenfold::app {
namespace {

constexpr int64_t kMaskId = 103;
constexpr double kMaskShare = 0.15;

std::shared_ptr<model::MlmHead> head_of(const StepOptions& options) {
  return std::make_shared<model::MlmHead>(
      options.config, 1, torch::TensorOptions().dtype(torch::kFloat).device(options.device));
}

}  // namespace

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

BenchStep::BenchStep(const StepOptions& options, const data::Batch& batch)
    : batch_(batch.to(options.device)),
      encoder_(std::make_shared<model::Encoder>(
          options.config, model::Pooler::none, 0,
          torch::TensorOptions().dtype(torch::kFloat).device(options.device))),
      objective_(head_of(options)),
      trainee_(encoder_, objective_),
      parameters_(train::collect_parameters(trainee_.modules())),
      optimizer_(parameters_, {.learning_rate = 1e-4, .weight_decay = 0.01}) {
  nn::compute_in(*encoder_, options.dtype);
  if (options.recompute) nn::recompute_in_backward(*encoder_);
  encoder_->train();
}

void BenchStep::run() {
  const auto loss = train::accumulate_gradients(trainee_, {batch_},
                                                {.training = true, .seed = 0, .step = step_++});
  if (!loss.means.device().is_cpu()) loss.means.cpu();  // waits, as a run does that looks at it
  optimizer_.step(1.0);
  train::clear_gradients(parameters_);
}

}  // namespace tenfold::app

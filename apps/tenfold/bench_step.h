// One update of masked-language-model training, as the benchmarks time it.
// Not here: which models and batches (bench_train_step.cpp, bench_residual.cpp).
#pragma once

#include <memory>

#include "bench_inputs.h"
#include "data/batch.h"
#include "model/mlm_objective.h"
#include "train/adamw.h"
#include "train/trainee.h"

namespace tenfold::app {

/// Each position is masked with probability 0.15 and then always replaced, as the peers do.
data::Batch masked_batch(const IdRows& rows);

struct StepOptions {
  model::EncoderConfig config;
  at::ScalarType dtype = at::kFloat;
  bool recompute = false;
  torch::Device device = torch::kCPU;
};

/// A model with everything an update needs: forward, backward, AdamW, dropout on.
class BenchStep {
 public:
  BenchStep(const StepOptions& options, const data::Batch& batch);
  void run();

 private:
  data::Batch batch_;
  std::shared_ptr<model::Encoder> encoder_;
  model::MlmObjective objective_;
  train::EncoderTrainee trainee_;
  std::vector<train::Parameter> parameters_;
  train::AdamW optimizer_;
  uint64_t step_ = 0;
};

}  // namespace tenfold::app

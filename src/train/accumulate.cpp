// Forward and backward over a window.
// Not here: zeroing gradients (the caller does, once a window).
#include "train/accumulate.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold::train {
namespace {

Metrics total_denominators(const std::vector<data::Batch>& window) {
  Metrics totals;
  for (const data::Batch& batch : window) {
    for (const auto& [name, count] : batch.denominators) totals[name] += count;
  }
  return totals;
}

/// Sums of each part over the window, by name.
class PartSums {
 public:
  void add(const model::LossPart& part, double denominator) {
    const Tensor mean = part.sum.detach().to(torch::kFloat64) / denominator;
    const auto found = std::find(loss_.names.begin(), loss_.names.end(), part.name);
    if (found != loss_.names.end()) {
      Tensor& sum = means_[static_cast<size_t>(found - loss_.names.begin())];
      sum = sum + mean;
      return;
    }
    loss_.names.push_back(part.name);
    loss_.weights.push_back(part.weight);
    means_.push_back(mean);
  }

  WindowLoss finish() {
    loss_.means = means_.empty() ? torch::zeros({0}, torch::kFloat64) : at::stack(means_);
    return std::move(loss_);
  }

  WindowLoss& loss() { return loss_; }

 private:
  WindowLoss loss_;
  std::vector<Tensor> means_;
};

}  // namespace

WindowLoss accumulate_gradients(Trainee& trainee, const std::vector<data::Batch>& window,
                                const model::StepContext& context) {
  const Metrics totals = total_denominators(window);
  PartSums sums;
  for (const data::Batch& batch : window) {
    model::StepResult result = trainee.step(batch, context);
    Tensor loss;
    for (const model::LossPart& part : result.parts) {
      const auto total = totals.find(part.name);
      require(total != totals.end(), ErrorKind::internal, "train",
              "no batch states a denominator for the loss part '{}'", part.name);
      if (total->second == 0) continue;
      sums.add(part, total->second);
      const Tensor share = part.sum * (part.weight / total->second);
      loss = loss.defined() ? loss + share : share;
    }
    for (const auto& [name, count] : result.counts) sums.loss().counts[name] += count;
    sums.loss().tokens += batch.real_tokens();
    if (loss.defined() && loss.requires_grad()) loss.backward();
  }
  return sums.finish();
}

}  // namespace tenfold::train

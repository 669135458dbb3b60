// Averages by one interpolation a tensor.
// Not here: files (run_state.h).
#include "train/weight_average.h"

#include <algorithm>

#include "support/fail.h"
#include "train/state_reader.h"

namespace tenfold::train {

WeightAverage::WeightAverage(std::vector<Parameter> parameters, const AverageOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const Parameter& parameter : parameters_) weights_.push_back(parameter.value);
  if (options_.start == 0) begin();
}

void WeightAverage::begin() {
  torch::NoGradGuard no_grad;
  for (const Tensor& weight : weights_) averages_.push_back(weight.detach().clone());
}

void WeightAverage::after_update() {
  torch::NoGradGuard no_grad;
  ++updates_;
  if (!begun()) {
    if (updates_ >= options_.start) begin();
    return;
  }
  const auto count = static_cast<double>(updates_ - options_.start);
  const double decay =
      options_.warmup ? std::min(options_.decay, (1 + count) / (10 + count)) : options_.decay;
  at::_foreach_lerp_(averages_, weights_, 1 - decay);
}

void WeightAverage::exchange() {
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < averages_.size(); ++i) {
    const Tensor held = weights_[i].detach().clone();
    weights_[i].copy_(averages_[i]);
    averages_[i].copy_(held);
  }
}

TensorsByName WeightAverage::state() const {
  TensorsByName state{{"ema.updates", torch::tensor(updates_, torch::kInt64)}};
  for (size_t i = 0; i < averages_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    if (options_.model) {
      state.emplace(name + ".trained", weights_[i].detach());
    } else {
      state.emplace(name + ".average", averages_[i]);
    }
  }
  return state;
}

void WeightAverage::load_state(const TensorsByName& state) {
  torch::NoGradGuard no_grad;
  StateReader reader(state);
  updates_ = reader.take("ema", "updates", torch::zeros({}, torch::kInt64)).item<int64_t>();
  averages_.clear();
  if (updates_ >= options_.start) {
    begin();
    for (size_t i = 0; i < averages_.size(); ++i) {
      const std::string& name = parameters_[i].name;
      if (options_.model) {
        weights_[i].copy_(reader.take(name, "trained", weights_[i]));
      } else {
        averages_[i] = reader.take(name, "average", weights_[i]);
      }
    }
  }
  reader.finish();
}

int64_t WeightAverage::bytes() const {
  int64_t bytes = 0;
  for (const Tensor& weight : weights_) bytes += static_cast<int64_t>(weight.nbytes());
  return bytes;
}

}  // namespace tenfold::train

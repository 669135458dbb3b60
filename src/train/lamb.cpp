// LAMB on libtorch's fused Adam kernel, and its plain-loop definition.
// Not here: grouping by name (parameters.h decides what decays).
#include "train/lamb.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"

namespace tenfold::train {

void LambOptions::fields(config::FieldVisitor& v) {
  v.field("learning_rate", learning_rate, "peak learning rate", config::above(0));
  v.field("beta1", beta1, "memory of the mean gradient", config::fraction_below_one());
  v.field("beta2", beta2, "memory of the mean squared gradient", config::fraction_below_one());
  v.field("epsilon", epsilon, "added to the root of the mean squared gradient",
          config::at_least(0));
  v.field("weight_decay", weight_decay, "decay of matrices; biases and norms are exempt",
          config::at_least(0));
  v.field("bias_correction", bias_correction, "make up for the means' start at zero");
  v.field("adapt_exempt", adapt_exempt,
          "scale the steps of biases and norms too, as the paper; the authors' code does not");
  v.field("norm_low", norm_low, "smallest size of a tensor's weights that counts",
          config::at_least(0));
  v.field("norm_high", norm_high, "largest size of a tensor's weights that counts; 0: no limit",
          config::at_least(0));
}

void LambOptions::validate(const std::string& where) const {
  require(norm_high == 0 || norm_low <= norm_high, ErrorKind::config, where,
          "norm_low is {}, above norm_high, which is {}", norm_low, norm_high);
}

Lamb::Lamb(std::vector<Parameter> parameters, const LambOptions& options) : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) slots_.push_back({std::move(parameter), {}});
}

/// 0-d, on the device of the weights: nothing waits for it.
Tensor Lamb::trust_ratio(const Tensor& value, const Tensor& update) const {
  Tensor size = at::linalg_vector_norm(value).clamp_min_(options_.norm_low);
  if (options_.norm_high > 0) size.clamp_max_(options_.norm_high);
  const Tensor update_size = at::linalg_vector_norm(update);
  const Tensor usable = at::logical_and(size > 0, update_size > 0);
  return at::where(usable, size / update_size, at::ones_like(size));
}

void Lamb::step(double factor) {
  torch::NoGradGuard no_grad;
  for (auto& [parameter, moments] : slots_) {
    Tensor value = parameter.value;
    if (!value.grad().defined()) continue;
    moments.begin_once(value);
    moments.step.add_(1);
    // Adam's step with rate -1 from zero is the update itself.
    const Tensor update = torch::zeros_like(value);
    at::_fused_adamw_({update}, {value.grad()}, {moments.exp_avg}, {moments.exp_avg_sq}, {},
                      {moments.kernel_step(options_.bias_correction)}, /*lr=*/-1.0, options_.beta1,
                      options_.beta2, /*weight_decay=*/0.0, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
    const double rate = options_.learning_rate * factor * parameter.learning_rate_scale;
    if (parameter.decays && options_.weight_decay > 0) update.add_(value, options_.weight_decay);
    if (parameter.decays || options_.adapt_exempt) {
      value.addcmul_(update, trust_ratio(value, update), -rate);
    } else {
      value.sub_(update, rate);
    }
  }
}

void LambReference::update(const std::vector<double>& gradient, int64_t step, double rate,
                           double decay, bool adapt, const LambOptions& options) {
  const auto count = static_cast<double>(step);
  const double mean_correction = options.bias_correction ? 1 - std::pow(options.beta1, count) : 1;
  const double square_correction = options.bias_correction ? 1 - std::pow(options.beta2, count) : 1;
  std::vector<double> direction(value.size());
  double value_square = 0, direction_square = 0;
  for (size_t i = 0; i < value.size(); ++i) {
    exp_avg[i] = options.beta1 * exp_avg[i] + (1 - options.beta1) * gradient[i];
    exp_avg_sq[i] = options.beta2 * exp_avg_sq[i] + (1 - options.beta2) * gradient[i] * gradient[i];
    const double mean = exp_avg[i] / mean_correction;
    const double square = exp_avg_sq[i] / square_correction;
    direction[i] = mean / (std::sqrt(square) + options.epsilon) + decay * value[i];
    value_square += value[i] * value[i];
    direction_square += direction[i] * direction[i];
  }
  double size = std::max(std::sqrt(value_square), options.norm_low);
  if (options.norm_high > 0) size = std::min(size, options.norm_high);
  const bool usable = adapt && size > 0 && direction_square > 0;
  const double ratio = usable ? size / std::sqrt(direction_square) : 1;
  for (size_t i = 0; i < value.size(); ++i) value[i] -= rate * ratio * direction[i];
}

}  // namespace tenfold::train

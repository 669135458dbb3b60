// AdamW by libtorch's fused kernel, and its plain-loop definition.
// Not here: grouping by name (parameters.h decides what decays).
#include "train/adamw.h"

#include <cmath>

#include "support/fail.h"

namespace tenfold::train {

void AdamWOptions::fields(config::FieldVisitor& v) {
  v.field("learning_rate", learning_rate, "peak learning rate", config::above(0));
  v.field("beta1", beta1, "memory of the mean gradient", config::fraction_below_one());
  v.field("beta2", beta2, "memory of the mean squared gradient", config::fraction_below_one());
  v.field("epsilon", epsilon, "added to the root of the mean squared gradient",
          config::at_least(0));
  v.field("weight_decay", weight_decay, "decoupled decay of matrices; biases and norms are exempt",
          config::at_least(0));
}

AdamW::AdamW(std::vector<Parameter> parameters, const AdamWOptions& options) : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) {
    const double scale = parameter.learning_rate_scale;
    const double decay = parameter.decays ? options.weight_decay : 0.0;
    Group* group = nullptr;
    for (Group& known : groups_) {
      if (known.learning_rate_scale == scale && known.weight_decay == decay) group = &known;
    }
    if (group == nullptr) group = &groups_.emplace_back(Group{scale, decay, {}});
    group->slots.push_back(slots_.size());
    slots_.push_back({std::move(parameter), {}, {}, {}});
  }
}

void AdamW::step(double factor) {
  torch::NoGradGuard no_grad;
  for (Group& group : groups_) {
    std::vector<Tensor> values, gradients, exp_avgs, exp_avg_sqs, steps;
    for (size_t index : group.slots) {
      Slot& slot = slots_[index];
      const Tensor& gradient = slot.parameter.value.grad();
      if (!gradient.defined()) continue;
      if (!slot.exp_avg.defined()) {
        slot.exp_avg = torch::zeros_like(slot.parameter.value);
        slot.exp_avg_sq = torch::zeros_like(slot.parameter.value);
        slot.step = torch::zeros(
            {}, slot.parameter.value.options().dtype(torch::kFloat32).requires_grad(false));
      }
      values.push_back(slot.parameter.value);
      gradients.push_back(gradient);
      exp_avgs.push_back(slot.exp_avg);
      exp_avg_sqs.push_back(slot.exp_avg_sq);
      steps.push_back(slot.step);
    }
    if (values.empty()) continue;
    at::_foreach_add_(steps, 1);
    at::_fused_adamw_(values, gradients, exp_avgs, exp_avg_sqs, /*max_exp_avg_sqs=*/{}, steps,
                      options_.learning_rate * factor * group.learning_rate_scale, options_.beta1,
                      options_.beta2, group.weight_decay, options_.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

TensorsByName AdamW::state() const {
  TensorsByName state;
  for (const Slot& slot : slots_) {
    if (!slot.exp_avg.defined()) continue;
    state.emplace(slot.parameter.name + ".exp_avg", slot.exp_avg);
    state.emplace(slot.parameter.name + ".exp_avg_sq", slot.exp_avg_sq);
    state.emplace(slot.parameter.name + ".step", slot.step);
  }
  return state;
}

void AdamW::load_state(const TensorsByName& state) {
  torch::NoGradGuard no_grad;
  size_t used = 0;
  for (Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    const auto mean = state.find(name + ".exp_avg");
    const auto square = state.find(name + ".exp_avg_sq");
    const auto count = state.find(name + ".step");
    slot.exp_avg = slot.exp_avg_sq = slot.step = Tensor();
    if (mean == state.end() && square == state.end() && count == state.end()) continue;
    require(mean != state.end() && square != state.end() && count != state.end(),
            ErrorKind::checkpoint, "optimizer", "the training state of '{}' is incomplete", name);
    require(mean->second.sizes() == slot.parameter.value.sizes() &&
                square->second.sizes() == mean->second.sizes(),
            ErrorKind::checkpoint, "optimizer", "the training state of '{}' has another shape",
            name);
    slot.exp_avg = torch::empty_like(slot.parameter.value).copy_(mean->second);
    slot.exp_avg_sq = torch::empty_like(slot.parameter.value).copy_(square->second);
    slot.step = torch::empty({}, slot.exp_avg.options().dtype(torch::kFloat32))
                    .copy_(count->second.reshape({}));
    used += 3;
  }
  require(used == state.size(), ErrorKind::checkpoint, "optimizer",
          "the training state holds {} tensors, of which only {} belong to parameters of this run",
          state.size(), used);
}

void AdamWReference::update(const std::vector<double>& gradient, int64_t step, double rate,
                            double decay, const AdamWOptions& options) {
  const double mean_correction = 1 - std::pow(options.beta1, static_cast<double>(step));
  const double square_correction = 1 - std::pow(options.beta2, static_cast<double>(step));
  for (size_t i = 0; i < value.size(); ++i) {
    value[i] -= rate * decay * value[i];
    exp_avg[i] = options.beta1 * exp_avg[i] + (1 - options.beta1) * gradient[i];
    exp_avg_sq[i] = options.beta2 * exp_avg_sq[i] + (1 - options.beta2) * gradient[i] * gradient[i];
    const double mean = exp_avg[i] / mean_correction;
    const double square = exp_avg_sq[i] / square_correction;
    value[i] -= rate * mean / (std::sqrt(square) + options.epsilon);
  }
}

}  // namespace tenfold::train

// Gradient descent by libtorch's fused kernel.
// Not here: grouping by name (parameters.h decides what decays).
#include "train/sgd.h"

#include "support/fail.h"
#include "train/state_reader.h"

namespace tenfold::train {

void SgdOptions::fields(config::FieldVisitor& v) {
  v.field("learning_rate", learning_rate, "peak learning rate", config::above(0));
  v.field("momentum", momentum, "memory of the sum of gradients", config::fraction_below_one());
  v.field("nesterov", nesterov, "look ahead along the momentum");
  v.field("weight_decay", weight_decay,
          "share of a matrix added to its gradient; biases and norms are exempt",
          config::at_least(0));
}

void SgdOptions::validate(const std::string& where) const {
  require(!nesterov || momentum > 0, ErrorKind::config, where,
          "nesterov looks ahead along the momentum, which is 0");
}

Sgd::Sgd(std::vector<Parameter> parameters, const SgdOptions& options) : options_(options) {
  slots_.reserve(parameters.size());
  for (Parameter& parameter : parameters) slots_.push_back({std::move(parameter), {}});
}

void Sgd::step(double factor) {
  torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {
    const Parameter& parameter = slot.parameter;
    const Tensor& gradient = parameter.value.grad();
    if (!gradient.defined()) continue;
    std::vector<Tensor> momentum;
    if (options_.momentum > 0) {
      if (!slot.momentum.defined()) slot.momentum = torch::zeros_like(parameter.value);
      momentum.push_back(slot.momentum);
    }
    at::_fused_sgd_({parameter.value}, {gradient}, momentum,
                    parameter.decays ? options_.weight_decay : 0.0, options_.momentum,
                    options_.learning_rate * factor * parameter.learning_rate_scale,
                    /*dampening=*/0, options_.nesterov, /*maximize=*/false,
                    /*is_first_step=*/false);
  }
}

TensorsByName Sgd::state() const {
  TensorsByName state;
  for (const Slot& slot : slots_) {
    if (slot.momentum.defined()) state.emplace(slot.parameter.name + ".momentum", slot.momentum);
  }
  return state;
}

void Sgd::load_state(const TensorsByName& state) {
  torch::NoGradGuard no_grad;
  StateReader reader(state);
  for (Slot& slot : slots_) {
    slot.momentum = Tensor();
    if (!reader.has(slot.parameter.name, {"momentum"})) continue;
    slot.momentum = reader.take(slot.parameter.name, "momentum", slot.parameter.value);
  }
  reader.finish();
}

}  // namespace tenfold::train

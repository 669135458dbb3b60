// The moments of Adam.
// Not here: any update of them (the fused kernel makes it).
#include "train/adam_moments.h"

#include <limits>

namespace tenfold::train {
namespace {

torch::TensorOptions count_options(const Tensor& value) {
  return value.options().dtype(torch::kFloat32).requires_grad(false);
}

}  // namespace

void AdamMoments::begin_once(const Tensor& value) {
  if (exp_avg.defined()) return;
  exp_avg = torch::zeros_like(value);
  exp_avg_sq = torch::zeros_like(value);
  step = torch::zeros({}, count_options(value));
}

Tensor AdamMoments::kernel_step(bool bias_correction) const {
  return bias_correction ? step : torch::full_like(step, std::numeric_limits<double>::infinity());
}

void AdamMoments::add_to(TensorsByName& state, const std::string& name) const {
  if (!exp_avg.defined()) return;
  state.emplace(name + ".exp_avg", exp_avg);
  state.emplace(name + ".exp_avg_sq", exp_avg_sq);
  state.emplace(name + ".step", step);
}

void AdamMoments::load(StateReader& reader, const std::string& name, const Tensor& value) {
  *this = {};
  if (!reader.has(name, {"exp_avg", "exp_avg_sq", "step"})) return;
  exp_avg = reader.take(name, "exp_avg", value);
  exp_avg_sq = reader.take(name, "exp_avg_sq", value);
  step = reader.take(name, "step", torch::zeros({}, count_options(value)));
}

TensorsByName state_of(const std::vector<MomentSlot>& slots) {
  TensorsByName state;
  for (const MomentSlot& slot : slots) slot.moments.add_to(state, slot.parameter.name);
  return state;
}

void load_state_of(std::vector<MomentSlot>& slots, const TensorsByName& state) {
  torch::NoGradGuard no_grad;
  StateReader reader(state);
  for (MomentSlot& slot : slots)
    slot.moments.load(reader, slot.parameter.name, slot.parameter.value);
  reader.finish();
}

}  // namespace tenfold::train

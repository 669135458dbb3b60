// What Adam and its kin remember of a parameter, and how it goes into checkpoints.
// Not here: the updates made of it (adamw.h, lamb.h).
#pragma once

#include <string>
#include <vector>

#include "train/optimizer.h"
#include "train/state_reader.h"

namespace tenfold::train {

/// Running means of the gradient and of its square, and the number of updates (0-d fp32, as the
/// fused kernel wants it). Undefined before the first gradient.
struct AdamMoments {
  Tensor exp_avg, exp_avg_sq, step;

  /// Zeros where the first gradient of `value` has come.
  void begin_once(const Tensor& value);

  /// The count for the fused kernel. Without bias correction it is infinite: the kernel divides by
  /// 1 - beta^step.
  Tensor kernel_step(bool bias_correction) const;

  /// "<name>.exp_avg", "<name>.exp_avg_sq", "<name>.step"; nothing before the first gradient.
  void add_to(TensorsByName& state, const std::string& name) const;

  /// Takes over what add_to gave, or nothing.
  void load(StateReader& reader, const std::string& name, const Tensor& value);
};

/// A parameter with its moments.
struct MomentSlot {
  Parameter parameter;
  AdamMoments moments = {};
};

/// Optimizer::state and Optimizer::load_state of optimizers that hold nothing else.
TensorsByName state_of(const std::vector<MomentSlot>& slots);
void load_state_of(std::vector<MomentSlot>& slots, const TensorsByName& state);

}  // namespace tenfold::train

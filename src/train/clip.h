// The global gradient norm and clipping by it.
// Not here: what happens to a step whose norm is not finite (trainer.h).
#pragma once

#include <vector>

#include "train/parameters.h"

namespace tenfold::train {

/// The 2-norm of all gradients together, 0-d float64, on their device and without a host
/// synchronisation. Not finite as soon as any gradient is not. 0 without gradients.
Tensor gradient_norm(const std::vector<Parameter>& parameters);

/// Multiplies all gradients by min(1, limit / (norm + 1e-6)). `limit` <= 0: no clipping.
void clip_gradients(const std::vector<Parameter>& parameters, double norm, double limit);

}  // namespace tenfold::train

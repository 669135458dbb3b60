// Central differences in double precision against autograd, for tests of anything differentiable.
// Not here: deciding what is near enough beyond one tolerance.
#pragma once

#include <functional>
#include <vector>

#include "tensor/torch.h"

namespace tenfold {

struct GradientCheck {
  double step = 1e-5;
  int64_t elements = 24;  ///< of each input, evenly spread; all of them where it has fewer
};

/// The largest |difference quotient - autograd| / max(1, |autograd|) of the 0-d result of `loss`,
/// over elements of the inputs and along one direction in which all elements change, so that none
/// goes unseen. Inputs: float64 leaves that require gradients; they are changed in place and
/// put back.
double gradient_error(const std::function<Tensor()>& loss, const std::vector<Tensor>& inputs,
                      const GradientCheck& check = {});

}  // namespace tenfold

// x Phi(x), Phi the distribution function of the standard normal (Hendrycks and Gimpel 2016).
// Not here: the tanh form, or GELU fused into a product (onednn.h).
#pragma once

#include "tensor/torch.h"

namespace tenfold::nn {

/// x Phi(x), any shape and number format, differentiable. In fp32 on the CPU one sweep gives the
/// value and, where there is a gradient to take, the slope, which is kept in place of x: the
/// backward pass is one product. Phi there is within 3e-7 of itself, small tails included.
/// Thread-safe.
Tensor exact_gelu(const Tensor& x);

}  // namespace tenfold::nn

// x W^T + b with its gradient: the product behind every linear layer that is not packed.
// Not here: packed weights (packing.h), or layers (linear.h).
#pragma once

#include "tensor/torch.h"

namespace tenfold::nn {

/// x [..., in] times W [out, in] transposed plus b [out] (undefined: none): [..., out]. On the CPU
/// forward and the gradient of x go through oneDNN, which is 5-10 % nearer to the machine's limit
/// than libtorch's own choice, and twice as fast where `out` is a vocabulary. Thread-safe.
Tensor linear_product(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// The same without autograd.
Tensor linear_product_value(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace tenfold::nn

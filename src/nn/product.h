// x W^T + b with its gradient: the product behind every linear layer that is not packed.
// Not here: packed weights (packing.h), or layers (linear.h).
#pragma once

#include "tensor/torch.h"

namespace tenfold::nn {

/// x [..., in] times W [out, in] transposed plus b [out] (undefined: none): [..., out], in the
/// number format of x. W and b may have a wider one (fp32 master weights of bf16 training): their
/// gradients have theirs. `narrow` is W as x has it, where the caller keeps it; undefined: cast
/// here. On the CPU forward and the gradient of x go through oneDNN, which is 5-10 % nearer to the
/// machine's limit than libtorch's own choice, and twice as fast where `out` is a vocabulary.
/// Thread-safe.
Tensor linear_product(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Tensor& narrow = {});

/// The same without autograd, W in the number format of x.
Tensor linear_product_value(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// Whether a product of x reads a copy of the weight in x's number format, which pays to be kept.
/// Gradients without oneDNN go through libtorch's own cast.
bool reads_narrow_copy(const Tensor& x, const Tensor& weight);

}  // namespace tenfold::nn

// oneDNN's products, which libtorch offers by name only.
// Not here: when they are used (packing.h for inference, product.h for training).
#pragma once

#include <cstdint>

#include "nn/activation.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// Whether oneDNN multiplies in this number format at this processor's full speed: fp32, and bf16
/// where it has the instructions (elsewhere it is emulated, five times slower than fp32).
bool onednn_computes_in(at::ScalarType type);

/// Whether this machine has a oneDNN product for tensors such as x.
bool onednn_serves(const Tensor& x);

/// A weight [out, in] in oneDNN's own layout, tuned for products with `rows` rows.
Tensor onednn_reordered(const Tensor& weight, int64_t rows);

/// activation(x W^T + b), without autograd. `weight` plain [out, in] or reordered; `bias` may be
/// undefined; x [..., in] is made contiguous.
Tensor onednn_linear(const Tensor& x, const Tensor& weight, const Tensor& bias,
                     Activation activation = Activation::none);

}  // namespace tenfold::nn

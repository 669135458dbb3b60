// The element-wise functions of feed-forward layers and heads, by their Hugging Face names.
// Not here: gated forms (they are feed-forward layers of their own).
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/torch.h"

namespace tenfold::nn {

enum class Activation : uint8_t {
  none,
  gelu,       ///< x Phi(x), by erf
  gelu_tanh,  ///< the tanh form; up to 5e-4 from the exact one
  relu,
  tanh,  ///< of poolers and classifiers; no feed-forward layer has it
};

/// "gelu", "gelu_new" / "gelu_pytorch_tanh", "relu"; Error{config} with the legal names otherwise.
Activation parse_activation(std::string_view name);

Tensor activate(const Tensor& x, Activation activation);

}  // namespace tenfold::nn

// Undefined tensors as libtorch's operators and autograd functions take them.
// Not here: any arithmetic.
#pragma once

#include <optional>

#include "tensor/torch.h"

namespace tenfold {

/// Autograd functions and operators take no undefined tensors: those become empty optionals.
inline std::optional<Tensor> as_optional(const Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

}  // namespace tenfold

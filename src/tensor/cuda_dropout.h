// Counter-based dropout in one kernel on CUDA, with the bits of every other form (pass.h).
// Not here: gradients, or devices where nothing can be compiled (cuda_elementwise.h says which).
#pragma once

#include "tensor/torch.h"

namespace tenfold {

/// x with elements dropped by their int64 keys and columns, which broadcast to its shape; x is of
/// any floating type. No gradient is recorded.
Tensor dropped_on_cuda(const Tensor& x, const Tensor& keys, const Tensor& columns, uint64_t site,
                       double p);

/// combine_keys() of int64 elements.
Tensor combined_on_cuda(const Tensor& keys, const Tensor& values);

}  // namespace tenfold

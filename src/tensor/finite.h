// Whether a tensor holds numbers only.
// Not here: what to do when it does not (model loading, the training guard).
#pragma once

#include "tensor/torch.h"

namespace tenfold {

/// False where an element is NaN or infinite. Floating types; the CPU's fp32 in one sweep without
/// a copy.
bool all_finite(const Tensor& x);

}  // namespace tenfold

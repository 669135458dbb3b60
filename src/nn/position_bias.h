// Additive attention bias as a structure: a table of values by offset, and how an offset becomes a
// row of it. Not here: learned bucketing rules of one model family (they make the table of a pass).
#pragma once

#include <cstdint>

#include "tensor/torch.h"

namespace tenfold::nn {

/// Bias of query at place i for key at place j: by_offset_HR[h][clamp(j - i, -reach, reach) +
/// reach], R = 2 reach + 1. Made once a pass from the model's parameters (gradients flow to them);
/// added to scores before the mask.
struct PositionBias {
  Tensor by_offset_HR;
  int64_t reach = 0;

  /// Dense view for references: [H, n, m], queries standing at places past .. past + n - 1.
  Tensor dense(int64_t past, int64_t n, int64_t m) const;
};

}  // namespace tenfold::nn

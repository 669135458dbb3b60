// What one forward pass needs to know besides its tensors: training or not, and where its dropout
// comes from. Not here: the optimisation step (model/objective.h) or any generator state (there is
// none to lose).
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold {

/// Dropout and other noise of a pass are pure functions of (pass key, example, place, site):
/// cutting a batch into smaller ones, or moving rows about, changes nothing. Evaluation: `training`
/// false and no keys needed.
struct PassContext {
  bool training = false;
  uint64_t key = 0;  ///< combine_keys(seed, step [, forward number])
  std::vector<uint64_t>
      example_keys;  ///< one a sequence of the layout in use: the examples' global ids

  static PassContext evaluation() { return {}; }
};

/// int64 [T]: a key per row, from the pass key, the example and the place within it.
Tensor row_keys(const PassContext& pass, const SequenceLayout& layout);

/// Counter-based dropout: element (t, d) is dropped with probability p, a pure function of
/// (row_keys_T[t], site, d); kept ones are scaled by 1 / (1 - p). x_TD: floating, any device.
/// p = 0 returns x itself. `site` numbers the place in the network (layer and purpose).
Tensor dropout_rows(const Tensor& x_TD, const Tensor& row_keys_T, uint64_t site, double p);

/// The same decisions on any device, for shapes that are not rows of one width: element x is
/// dropped by its key and its column, int64 tensors that broadcast to x's shape.
Tensor drop_elements(const Tensor& x, const Tensor& keys, const Tensor& columns, uint64_t site,
                     double p);

/// combine_keys(key, value) of every element; int64, broadcast, any device.
Tensor combined_keys(const Tensor& keys, const Tensor& values);

}  // namespace tenfold

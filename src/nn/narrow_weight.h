// A weight in the number format that products compute in, kept until the weight changes.
// Not here: layouts of a library's own (packing.h).
#pragma once

#include <mutex>
#include <vector>

#include "nn/weight_stamp.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// The last copy of a weight in another number format. A step that runs several passes over the
/// same weights casts them once. Thread-safe.
class NarrowWeight {
 public:
  /// The sources, one below the other, in `type`; without autograd.
  Tensor in(at::ScalarType type, const std::vector<Tensor>& sources) const;

 private:
  mutable std::mutex mutex_;
  mutable WeightStamp stamp_;
  mutable Tensor copy_;
};

}  // namespace tenfold::nn

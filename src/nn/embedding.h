// A table of vectors looked up by id.
// Not here: sums of several tables (the model's embeddings do that).
#pragma once

#include <cstdint>

#include "tensor/torch.h"

namespace tenfold::nn {

/// Parameter "weight" [rows, width], normal cut at two deviations. Ids must be in range: they are
/// checked where data enters, not here. forward is const and thread-safe.
class Embedding : public torch::nn::Module {
 public:
  Embedding(int64_t rows, int64_t width, double initializer_range, uint64_t seed,
            torch::TensorOptions options);

  /// int64 [T] -> [T, width]. Row `padding` (below 0: none) gets no gradient.
  Tensor forward(const Tensor& ids_T, int64_t padding = -1) const;

  Tensor weight;
};

}  // namespace tenfold::nn

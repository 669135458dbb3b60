// The embedding table.
// Not here: checks of ids.
#include "nn/embedding.h"

#include "support/rng.h"
#include "tensor/init.h"

namespace tenfold::nn {

Embedding::Embedding(int64_t rows, int64_t width, double initializer_range, uint64_t seed,
                     torch::TensorOptions options) {
  weight = register_parameter("weight", normal_tensor({rows, width}, initializer_range,
                                                      Tails::cut_at_two, mix_bits(seed), options));
}

Tensor Embedding::forward(const Tensor& ids_T, int64_t padding) const {
  return at::embedding(weight, ids_T, padding);
}

}  // namespace tenfold::nn

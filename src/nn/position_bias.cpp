// The dense view of a position bias.
// Not here: kernels, which read the table by offset.
#include "nn/position_bias.h"

namespace tenfold::nn {

Tensor PositionBias::dense(int64_t past, int64_t n, int64_t m) const {
  const auto options = torch::TensorOptions().dtype(torch::kInt64).device(by_offset_HR.device());
  const Tensor offset_NM =
      torch::arange(m, options).unsqueeze(0) - torch::arange(past, past + n, options).unsqueeze(1);
  const Tensor column = offset_NM.clamp(-reach, reach).add(reach).reshape({-1});
  return by_offset_HR.index_select(1, column).reshape({by_offset_HR.size(0), n, m});
}

}  // namespace tenfold::nn

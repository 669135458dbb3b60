// The kept copy.
// Not here: who needs one (linear.cpp, projected_attention.cpp).
#include "nn/narrow_weight.h"

namespace tenfold::nn {

Tensor NarrowWeight::in(at::ScalarType type, const std::vector<Tensor>& sources) const {
  const std::lock_guard lock(mutex_);
  if (!copy_.defined() || copy_.scalar_type() != type || !stamp_.current()) {
    const torch::NoGradGuard no_grad;
    copy_ = (sources.size() == 1 ? sources[0] : at::cat(sources)).detach().to(type);
    stamp_ = WeightStamp(sources);
  }
  return copy_;
}

}  // namespace tenfold::nn

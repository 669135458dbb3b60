// Cross-entropy over classes, by libtorch.
// Not here: sums and means.
#include "nn/class_loss.h"

#include <optional>

namespace tenfold::nn {

Tensor ClassLoss::rows(const Tensor& logits_BC, const Tensor& labels_B) const {
  constexpr int64_t kNoLabel = -100;
  std::optional<Tensor> weights;
  if (weights_C.defined()) weights = weights_C.to(logits_BC.options());
  return at::cross_entropy_loss(logits_BC, labels_B, weights, at::Reduction::None, kNoLabel,
                                label_smoothing);
}

}  // namespace tenfold::nn

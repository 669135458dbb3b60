// Norm and clipping over lists of tensors.
// Not here: per-group limits (there are none).
#include "train/clip.h"

namespace tenfold::train {
namespace {

std::vector<Tensor> gradients_present(const std::vector<Parameter>& parameters) {
  std::vector<Tensor> gradients;
  gradients.reserve(parameters.size());
  for (const Parameter& parameter : parameters) {
    if (parameter.value.grad().defined()) gradients.push_back(parameter.value.grad());
  }
  return gradients;
}

}  // namespace

Tensor gradient_norm(const std::vector<Parameter>& parameters) {
  torch::NoGradGuard no_grad;
  const std::vector<Tensor> gradients = gradients_present(parameters);
  if (gradients.empty()) return torch::zeros({}, torch::kFloat64);
  const std::vector<Tensor> norms = at::_foreach_norm(gradients, 2);
  return at::linalg_vector_norm(at::stack(norms).to(torch::kFloat64), 2);
}

void clip_gradients(const std::vector<Parameter>& parameters, double norm, double limit) {
  if (limit <= 0) return;
  const double factor = limit / (norm + 1e-6);
  if (factor >= 1) return;
  torch::NoGradGuard no_grad;
  at::_foreach_mul_(gradients_present(parameters), factor);
}

}  // namespace tenfold::train

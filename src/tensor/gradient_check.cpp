// One element at a time, both sides.
// Not here: speed.
#include "tensor/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"

namespace tenfold {

double gradient_error(const std::function<Tensor()>& loss, const std::vector<Tensor>& inputs,
                      const GradientCheck& check) {
  for (const Tensor& x : inputs) {
    require(x.scalar_type() == at::kDouble && x.requires_grad() && x.is_contiguous(),
            ErrorKind::internal, "gradient check",
            "inputs must be contiguous float64 leaves that require gradients");
  }
  const auto gradients = torch::autograd::grad({loss()}, inputs, {}, std::nullopt, false, true);
  const torch::NoGradGuard no_grad;
  double worst = 0.0;
  for (size_t k = 0; k < inputs.size(); ++k) {
    auto* values = inputs[k].mutable_data_ptr<double>();
    const int64_t count = inputs[k].numel(), stride = std::max<int64_t>(1, count / check.elements);
    // Whatever is kept of a weight is told that it changed.
    const auto set = [&](int64_t i, double value) {
      values[i] = value;
      torch::autograd::impl::bump_version(inputs[k]);
    };
    const Tensor gradient =
        gradients[k].defined() ? gradients[k].contiguous() : torch::zeros_like(inputs[k]);
    for (int64_t i = 0; i < count; i += stride) {
      const double kept = values[i];
      set(i, kept + check.step);
      const double above = loss().item<double>();
      set(i, kept - check.step);
      const double below = loss().item<double>();
      set(i, kept);
      const double expected = (above - below) / (2 * check.step);
      const double got = gradient.const_data_ptr<double>()[i];
      const double error = std::fabs(expected - got) / std::max(1.0, std::fabs(got));
      worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    }
  }
  return worst;
}

}  // namespace tenfold

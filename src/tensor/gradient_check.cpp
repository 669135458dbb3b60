// Some elements one at a time, and all of them at once, both sides.
// Not here: speed.
#include "tensor/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"
#include "support/rng.h"

namespace tenfold {
namespace {

/// note(loss above, loss below, slope) along a direction of about length 1, the same in every call.
template <typename Note>
void note_direction(const std::function<Tensor()>& loss, const std::vector<Tensor>& inputs,
                    const std::vector<Tensor>& gradients, double step, const Note& note) {
  int64_t count = 0;
  for (const Tensor& x : inputs) count += x.numel();
  if (count == 0) return;
  RandomStream draw(1, "direction of a gradient check");
  std::vector<Tensor> directions, kept;
  double slope = 0.0;
  for (size_t k = 0; k < inputs.size(); ++k) {
    Tensor direction = torch::empty_like(inputs[k]);
    auto* numbers = direction.mutable_data_ptr<double>();
    for (int64_t i = 0; i < direction.numel(); ++i)
      numbers[i] = (2 * draw.uniform() - 1) * std::sqrt(3.0 / static_cast<double>(count));
    if (gradients[k].defined()) slope += (gradients[k] * direction).sum().item<double>();
    directions.push_back(std::move(direction));
    kept.push_back(inputs[k].clone());
  }
  const auto moved = [&](double by) {
    for (size_t k = 0; k < inputs.size(); ++k) inputs[k].copy_(kept[k]).add_(directions[k], by);
    return loss().item<double>();
  };
  const double above = moved(step), below = moved(-step);
  for (size_t k = 0; k < inputs.size(); ++k) inputs[k].copy_(kept[k]);
  note(above, below, slope);
}

}  // namespace

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
  const auto note = [&](double above, double below, double got) {
    const double error =
        std::fabs((above - below) / (2 * check.step) - got) / std::max(1.0, std::fabs(got));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  };
  note_direction(loss, inputs, gradients, check.step, note);
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
      note(above, below, gradient.const_data_ptr<double>()[i]);
    }
  }
  return worst;
}

}  // namespace tenfold

// Norms and clipping against the reference and by hand.
// Not here: the step that uses them.
#include "train/clip.h"

#include <gtest/gtest.h>

namespace tenfold::train {
namespace {

Parameter with_gradient(const Tensor& gradient) {
  Parameter parameter{.name = "p", .value = torch::zeros_like(gradient).requires_grad_()};
  parameter.value.mutable_grad() = gradient.clone();
  return parameter;
}

TEST(Clip, ScalesAllGradientsByOneFactor) {
  const std::vector<Parameter> parameters{with_gradient(torch::tensor({3.0, 0.0}, torch::kFloat64)),
                                          with_gradient(torch::tensor({{4.0}}, torch::kFloat64))};
  const double norm = gradient_norm(parameters).item<double>();
  EXPECT_DOUBLE_EQ(norm, 5.0);
  clip_gradients(parameters, norm, 10);
  EXPECT_DOUBLE_EQ(parameters[0].value.grad()[0].item<double>(), 3.0);
  clip_gradients(parameters, norm, 2.5);
  EXPECT_DOUBLE_EQ(parameters[0].value.grad()[0].item<double>(), 3.0 * 2.5 / (5.0 + 1e-6));
  EXPECT_DOUBLE_EQ(parameters[1].value.grad()[0][0].item<double>(), 4.0 * 2.5 / (5.0 + 1e-6));
}

TEST(Clip, OneBadNumberMakesTheNormNotFinite) {
  for (const double bad : {std::nan(""), HUGE_VAL}) {
    const std::vector<Parameter> parameters{with_gradient(torch::ones({2})),
                                            with_gradient(torch::tensor({1.0, bad}))};
    EXPECT_FALSE(std::isfinite(gradient_norm(parameters).item<double>()));
  }
  EXPECT_EQ(gradient_norm({}).item<double>(), 0.0);
}

}  // namespace
}  // namespace tenfold::train

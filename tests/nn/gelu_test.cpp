// GELU and its slope against their definition in double.
#include "nn/gelu.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tenfold::nn {
namespace {

TEST(Gelu, ValuesAndSlopesAreThoseOfTheDefinition) {
  // Every kind of place: the tails, zero of both signs, sizes that are no whole vectors.
  const Tensor x = at::cat({torch::linspace(-14, 14, 20001), torch::tensor({0.0F, -0.0F, 1e-30F}),
                            torch::tensor({1e19F, -40.0F, 40.0F})})
                       .requires_grad_();
  const Tensor y = exact_gelu(x);
  const Tensor slope = torch::autograd::grad({y.sum()}, {x})[0];
  const Tensor wide = x.detach().to(torch::kDouble);
  for (int64_t i = 0; i < x.numel(); ++i) {
    const double at = wide[i].item<double>();
    const double phi = 0.5 * std::erfc(-at / std::sqrt(2.0));
    const double density = std::exp(-0.5 * at * at) / std::sqrt(2 * M_PI);
    // Relative, in the lower tail too; exponentials end at e^-87.
    const double value = y[i].item<double>();
    EXPECT_NEAR(value, at * phi, 1e-5 * std::fabs(at * phi) + 1e-36) << at;
    if (std::fabs(at) < 5) {
      EXPECT_NEAR(value, at * phi, 8e-7 * std::fabs(at * phi) + 1e-36) << at;
    }
    EXPECT_NEAR(slope[i].item<double>(), phi + at * density, 5e-7) << at;
  }
}

TEST(Gelu, IsTheSameWithAndWithoutAGradientAndForAnyShape) {
  const Tensor x = torch::linspace(-4, 4, 7 * 33).view({7, 33}).requires_grad_();
  const Tensor y = exact_gelu(x);
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(exact_gelu(x).equal(y));
  EXPECT_TRUE(exact_gelu(x.t()).equal(y.t()));
  EXPECT_TRUE(exact_gelu(x.flatten()).equal(y.flatten()));
}

TEST(Gelu, NotANumberStaysOne) {
  const Tensor y = exact_gelu(torch::full({20}, std::nanf("")));
  EXPECT_TRUE(y.isnan().all().item<bool>());
}

}  // namespace
}  // namespace tenfold::nn

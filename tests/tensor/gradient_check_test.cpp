// Central differences see what is wrong.
// Not here: gradients of anything the program computes.
#include "tensor/gradient_check.h"

#include <gtest/gtest.h>

namespace tenfold {
namespace {

/// The sum of squares whose gradient is off by a thousandth at one element.
struct WrongAtOne : torch::autograd::Function<WrongAtOne> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, int64_t place) {
    ctx->save_for_backward({x});
    ctx->saved_data["place"] = place;
    return x.square().sum();
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    Tensor slope = 2 * ctx->get_saved_variables()[0];
    const int64_t place = ctx->saved_data["place"].toInt();
    if (place >= 0) slope[place] += 1e-3;
    return {slope * gradients[0], {}};
  }
};

double error_of(int64_t wrong_place) {
  Tensor x = torch::linspace(-1, 1, 501, torch::kDouble).requires_grad_();
  const Tensor before = x.detach().clone();
  const double error =
      gradient_error([&] { return WrongAtOne::apply(x, wrong_place); }, {x}, {.elements = 4});
  EXPECT_TRUE(torch::equal(x.detach(), before));
  return error;
}

TEST(GradientCheck, SeesOneWrongElementWhetherItTriesItOrNot) {
  EXPECT_LT(error_of(-1), 1e-8);
  EXPECT_NEAR(error_of(250), 1e-3, 1e-8);  // one of those tried
  EXPECT_GT(error_of(251), 1e-6);          // one between them
}

}  // namespace
}  // namespace tenfold

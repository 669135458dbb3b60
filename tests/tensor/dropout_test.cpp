// Counter-based dropout: its rate, its bits under any cutting of the batch, its gradient.
// Not here: dropout fused into attention and norms (tests/nn).
#include <gtest/gtest.h>

#include "cuda.h"
#include "tensor/gradient_check.h"
#include "tensor/pass.h"

namespace tenfold {
namespace {

PassContext training_pass(std::vector<uint64_t> examples) {
  return {.training = true, .key = 42, .example_keys = std::move(examples)};
}

TEST(Dropout, DropsAtItsRateAndScalesTheRest) {
  const auto layout = SequenceLayout::of_lengths({1000});
  const Tensor y =
      dropout_rows(torch::ones({1000, 768}), row_keys(training_pass({7}), layout), 3, 0.1);
  const double dropped = y.eq(0).to(torch::kDouble).mean().item<double>();
  EXPECT_NEAR(dropped, 0.1, 0.002);  // 5 standard errors of 768,000 draws
  EXPECT_FLOAT_EQ(y.max().item<float>(), 1.0F / 0.9F);
  EXPECT_NEAR(y.eq(0).to(torch::kDouble).mean(0).std().item<double>(), 0.0095,
              0.002);  // columns are independent
  EXPECT_NEAR(y.eq(0).to(torch::kDouble).mean(1).std().item<double>(), 0.0108,
              0.002);  // rows are independent
}

TEST(Dropout, CuttingABatchChangesNoBit) {
  const auto together = SequenceLayout::of_lengths({5, 0, 7});
  const Tensor x = torch::ones({12, 33});
  const Tensor all = dropout_rows(x, row_keys(training_pass({11, 12, 13}), together), 9, 0.3);
  const Tensor last = dropout_rows(
      x.narrow(0, 0, 7), row_keys(training_pass({13}), SequenceLayout::of_lengths({7})), 9, 0.3);
  EXPECT_TRUE(torch::equal(all.narrow(0, 5, 7), last));
}

TEST(Dropout, OperatorsGiveTheKernelsBits) {
  const auto layout = SequenceLayout::of_lengths({9});
  const Tensor keys = row_keys(training_pass({1}), layout);
  const Tensor kernel = dropout_rows(torch::ones({9, 200}), keys, 5, 0.4);
  const Tensor operators = dropout_rows(torch::ones({9, 200}, torch::kBFloat16), keys, 5, 0.4);
  EXPECT_TRUE(torch::equal(kernel.eq(0), operators.eq(0)));
}

TEST(Dropout, OnCudaHasTheKernelsBits) {
  TENFOLD_NEEDS_CUDA();
  const Tensor keys = row_keys(training_pass({1, 2}), SequenceLayout::of_lengths({9, 300}));
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const Tensor x = torch::randn({309, 200}, torch::kDouble).to(dtype);
    Tensor there = x.cuda().requires_grad_();
    const Tensor y = dropout_rows(there, keys.cuda(), 5, 0.4);
    EXPECT_TRUE(torch::equal(dropout_rows(x, keys, 5, 0.4), y.detach().cpu())) << dtype;
    y.sum().backward();
    EXPECT_TRUE(torch::equal(dropout_rows(torch::ones_like(x), keys, 5, 0.4), there.grad().cpu()))
        << dtype;
  }
  const Tensor key_G1N1 = keys.view({3, 1, 103, 1}), head = torch::arange(4).view({1, 4, 1, 1});
  const Tensor combined = combined_keys(key_G1N1, head);
  EXPECT_TRUE(torch::equal(combined, combined_keys(key_G1N1.cuda(), head.cuda()).cpu()));
  const Tensor x = torch::randn({3, 4, 103, 17}), place = torch::arange(51).view({3, 1, 1, 17});
  EXPECT_TRUE(torch::equal(drop_elements(x, combined, place, 7, 0.2),
                           drop_elements(x.cuda(), combined.cuda(), place.cuda(), 7, 0.2).cpu()));
}

TEST(Dropout, GradientIsTheMask) {
  const auto layout = SequenceLayout::of_lengths({6});
  const Tensor keys = row_keys(training_pass({1}), layout);
  Tensor x = torch::arange(60, torch::kDouble).view({6, 10}).div_(60).requires_grad_();
  EXPECT_LT(gradient_error([&] { return dropout_rows(x, keys, 1, 0.5).pow(2).sum(); }, {x}), 1e-8);
  dropout_rows(x, keys, 1, 0.5).sum().backward();
  EXPECT_TRUE(torch::equal(x.grad(), dropout_rows(torch::ones_like(x), keys, 1, 0.5).detach()));
}

TEST(Dropout, SitesAndStepsDiffer) {
  const auto layout = SequenceLayout::of_lengths({20});
  const Tensor keys = row_keys(training_pass({1}), layout), x = torch::ones({20, 50});
  EXPECT_FALSE(torch::equal(dropout_rows(x, keys, 1, 0.5), dropout_rows(x, keys, 2, 0.5)));
  PassContext next = training_pass({1});
  next.key = 43;
  EXPECT_FALSE(
      torch::equal(dropout_rows(x, keys, 1, 0.5), dropout_rows(x, row_keys(next, layout), 1, 0.5)));
}

TEST(Dropout, EmptyBatchesWork) {
  const Tensor y =
      dropout_rows(torch::ones({0, 8}), row_keys(training_pass({}), SequenceLayout()), 1, 0.5);
  EXPECT_EQ(y.size(0), 0);
}

}  // namespace
}  // namespace tenfold

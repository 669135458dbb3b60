// The embedding table's gradient: alone, beside a head that shares the table, and with padding.
#include "nn/embedding.h"

#include <gtest/gtest.h>

#include <vector>

namespace tenfold::nn {
namespace {

constexpr int64_t kTableRows = 11, kTableWidth = 5, kPadding = 3;

Embedding small_table() { return {kTableRows, kTableWidth, 0.5, 7, torch::kDouble}; }

Tensor looked_up_ids() { return torch::tensor(std::vector<int64_t>{4, 0, 4, kPadding, 10, 4, 0}); }

/// Sums of the rows of `gradient_TD` by id, without the padding's.
Tensor summed_by_id(const Tensor& gradient_TD) {
  Tensor sum = torch::zeros({kTableRows, kTableWidth}, torch::kDouble);
  for (int64_t t = 0; t < looked_up_ids().size(0); ++t) {
    const auto id = looked_up_ids()[t].item<int64_t>();
    if (id != kPadding) sum[id] += gradient_TD[t];
  }
  return sum;
}

TEST(Embedding, GradientIsDenseAndSumsTheRowsOfAnId) {
  Embedding embedding = small_table();
  const Tensor slope = torch::randn({looked_up_ids().size(0), kTableWidth}, torch::kDouble);
  for (int pass = 1; pass <= 2; ++pass) {  // the second is added to the first
    (embedding.forward(looked_up_ids(), kPadding) * slope).sum().backward();
    ASSERT_FALSE(embedding.weight.grad().is_sparse());
    EXPECT_TRUE(embedding.weight.grad().allclose(summed_by_id(slope) * pass, 1e-12, 1e-12));
  }
}

TEST(Embedding, AHeadThatSharesTheTableAddsToIt) {
  Embedding embedding = small_table();
  const Tensor slope = torch::randn({looked_up_ids().size(0), kTableRows}, torch::kDouble);
  const Tensor hidden = embedding.forward(looked_up_ids(), kPadding);
  ((hidden.tanh().mm(embedding.weight.t())) * slope).sum().backward();
  const Tensor y = hidden.detach().tanh();
  const Tensor of_head = slope.t().mm(y);
  const Tensor of_rows = slope.mm(embedding.weight.detach()) * (1 - y * y);
  ASSERT_FALSE(embedding.weight.grad().is_sparse());
  EXPECT_TRUE(embedding.weight.grad().allclose(of_head + summed_by_id(of_rows), 1e-12, 1e-12));
}

TEST(Embedding, FrozenTablesAndPassesWithoutGradientWork) {
  Embedding embedding = small_table();
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(
      embedding.forward(looked_up_ids()).equal(embedding.weight.index_select(0, looked_up_ids())));
  embedding.weight.requires_grad_(false);
  const torch::AutoGradMode grad(true);
  EXPECT_FALSE(embedding.forward(looked_up_ids()).requires_grad());
}

}  // namespace
}  // namespace tenfold::nn

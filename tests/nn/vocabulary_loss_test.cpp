// The chunked vocabulary loss against plain operators.
// Not here: the head's layers (tests/model).
#include "nn/vocabulary_loss.h"

#include <gtest/gtest.h>

#include "tenfold/error.h"
#include "tensor/init.h"

namespace tenfold::nn {
namespace {

TEST(VocabularyLoss, EqualsPlainOperatorsAcrossChunks) {
  const int64_t rows = 260, width = 4, vocabulary = 70'000;  // two chunks
  const auto options = torch::TensorOptions().dtype(torch::kFloat64);
  std::vector<Tensor> inputs{normal_tensor({rows, width}, 1, Tails::full, 1, options),
                             normal_tensor({vocabulary, width}, 1, Tails::full, 2, options),
                             normal_tensor({vocabulary}, 1, Tails::full, 3, options)};
  const Tensor labels = torch::arange(rows) * 7;
  std::vector<std::vector<Tensor>> gradients;
  std::vector<VocabularyLoss> losses;
  for (const auto& loss_of : {vocabulary_loss, vocabulary_loss_reference}) {
    for (Tensor& input : inputs) {
      input = input.detach().clone();
      input.requires_grad_(true);
    }
    losses.push_back(loss_of(inputs[0], inputs[1], inputs[2], labels));
    (losses.back().sum * 0.5).backward();
    gradients.push_back({inputs[0].grad(), inputs[1].grad(), inputs[2].grad()});
  }
  EXPECT_NEAR(losses[0].sum.item<double>(), losses[1].sum.item<double>(), 1e-8);
  EXPECT_EQ(losses[0].correct.item<int64_t>(), losses[1].correct.item<int64_t>());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_LE((gradients[0][i] - gradients[1][i]).abs().max().item<double>(), 1e-12) << i;
  }
}

TEST(VocabularyLoss, NoRowsGiveZeroAndZeroGradients) {
  Tensor hidden = torch::zeros({0, 3}).requires_grad_(true),
         weight = torch::ones({5, 3}).requires_grad_(true);
  const VocabularyLoss loss =
      vocabulary_loss(hidden, weight, torch::zeros({5}), torch::zeros({0}, torch::kInt64));
  loss.sum.backward();
  EXPECT_EQ(loss.sum.item<double>(), 0.0);
  EXPECT_EQ(weight.grad().abs().sum().item<double>(), 0.0);
}

TEST(VocabularyLoss, AmongEqualLogitsTheFirstCounts) {
  const Tensor hidden = torch::zeros({3, 2}), weight = torch::zeros({4, 2}),
               bias = torch::tensor({0.0F, 1.0F, 1.0F, 0.0F});
  const Tensor labels = torch::tensor({1, 2, 0}, torch::kInt64);
  EXPECT_EQ(vocabulary_loss(hidden, weight, bias, labels).correct.item<int64_t>(), 1);
  EXPECT_EQ(vocabulary_loss_reference(hidden, weight, bias, labels).correct.item<int64_t>(), 1);
}

TEST(VocabularyLoss, GivesItsGradientOnce) {
  const Tensor hidden = torch::ones({2, 3}).requires_grad_(true);
  const Tensor sum = vocabulary_loss(hidden, torch::ones({5, 3}), torch::zeros({5}),
                                     torch::zeros({2}, torch::kInt64))
                         .sum;
  sum.backward({}, /*keep_graph=*/true);
  EXPECT_THROW(sum.backward(), Error);
}

TEST(VocabularyLoss, BadLogitsGiveABadLoss) {
  const Tensor hidden = torch::full({1, 1}, std::nan(""));
  const Tensor sum = vocabulary_loss(hidden, torch::ones({5, 1}), torch::zeros({5}),
                                     torch::zeros({1}, torch::kInt64))
                         .sum;
  EXPECT_FALSE(std::isfinite(sum.item<double>()));
}

}  // namespace
}  // namespace tenfold::nn

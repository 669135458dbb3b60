// Weighted and smoothed cross-entropy against plain loops in double precision and against torch's
// own mean. Not here: objectives (tests/model).
#include "nn/class_loss.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tensor/init.h"

namespace tenfold::nn {
namespace {

const std::vector<int64_t> kLabels{2, 0, 1, 2, -100, 0};
const std::vector<double> kWeights{0.5, 2, 1.25};

/// The sum of the loss over rows and, for its mean, of the labels' weights; and the gradient.
struct PlainLoss {
  std::vector<double> rows, gradient;
  double denominator = 0;

  PlainLoss(const Tensor& logits_BC, const std::vector<double>& weights, double smoothing) {
    const auto classes = static_cast<size_t>(logits_BC.size(1));
    const double* logits = logits_BC.const_data_ptr<double>();
    for (size_t row = 0; row < kLabels.size(); ++row, logits += classes) {
      double loss = 0;
      std::vector<double> target(classes);  // what each class's -log p counts
      if (kLabels[row] >= 0) {
        const auto label = static_cast<size_t>(kLabels[row]);
        for (size_t c = 0; c < classes; ++c)
          target[c] = weights[c] * smoothing / static_cast<double>(classes);
        target[label] += (1 - smoothing) * weights[label];
        denominator += weights[label];
      }
      double total = 0, all = 0;
      for (size_t c = 0; c < classes; ++c) total += std::exp(logits[c]);
      for (size_t c = 0; c < classes; ++c) {
        loss -= target[c] * std::log(std::exp(logits[c]) / total);
        all += target[c];
      }
      for (size_t c = 0; c < classes; ++c)
        gradient.push_back(all * std::exp(logits[c]) / total - target[c]);
      rows.push_back(loss);
    }
  }
};

TEST(ClassLoss, EqualsPlainLoopsAndTorchsMean) {
  const auto options = torch::TensorOptions().dtype(torch::kFloat64);
  const Tensor labels_B = torch::tensor(kLabels, torch::kInt64);
  for (const bool weighted : {false, true}) {
    for (const double smoothing : {0.0, 0.1, 0.75}) {
      Tensor logits_BC = normal_tensor({6, 3}, 1.5, Tails::full, 7, options).requires_grad_(true);
      const std::vector<double> weights = weighted ? kWeights : std::vector<double>{1, 1, 1};
      const PlainLoss plain(logits_BC.detach(), weights, smoothing);
      const ClassLoss loss{weighted ? torch::tensor(weights, options) : Tensor(), smoothing};
      const Tensor rows_B = loss.rows(logits_BC, labels_B);
      rows_B.sum().backward();
      for (size_t i = 0; i < plain.rows.size(); ++i)
        EXPECT_NEAR(rows_B[static_cast<int64_t>(i)].item<double>(), plain.rows[i], 1e-12) << i;
      const Tensor gradient = torch::tensor(plain.gradient, options).view({6, 3});
      EXPECT_LE((logits_BC.grad() - gradient).abs().max().item<double>(), 1e-12);
      std::optional<Tensor> torch_weights;
      if (weighted) torch_weights = torch::tensor(weights, options);
      const Tensor mean = at::cross_entropy_loss(logits_BC.detach(), labels_B, torch_weights,
                                                 at::Reduction::Mean, -100, smoothing);
      EXPECT_NEAR(rows_B.sum().item<double>() / plain.denominator, mean.item<double>(), 1e-12);
    }
  }
}

/// On paper: two equal logits give log 2 for each class, whatever the smoothing.
TEST(ClassLoss, EqualLogitsCostLogOfTheClasses) {
  const Tensor rows_B = ClassLoss{.label_smoothing = 0.3}.rows(torch::zeros({1, 2}),
                                                               torch::tensor({1}, torch::kInt64));
  EXPECT_NEAR(rows_B.item<double>(), std::log(2.0), 1e-6);
}

}  // namespace
}  // namespace tenfold::nn

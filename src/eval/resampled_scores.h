// Metrics as functions of how often each row counts: what the bootstrap resamples.
// Not here: drawing (bootstrap.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/metrics.h"

namespace tenfold::eval {

/// Means of columns, each with a value a row: accuracy (1 or 0 a row), F1 or exact match of
/// answers, reciprocal ranks, ROUGE. 0 without rows.
WeightedScores mean_scores_of(std::vector<std::vector<double>> columns);

/// Functions of the confusion matrix.
using ConfusionMetric = std::function<double(const Confusion&)>;
WeightedScores confusion_scores_of(std::span<const int64_t> gold,
                                   std::span<const int64_t> predicted, int64_t classes,
                                   std::vector<ConfusionMetric> metrics);

/// Functions of two columns of scores (pearson, spearman): each draw makes the columns anew.
using ColumnMetric = std::function<std::optional<double>(std::span<const double> predicted,
                                                         std::span<const double> gold)>;
WeightedScores column_scores_of(std::vector<double> predicted, std::vector<double> gold,
                                std::vector<ColumnMetric> metrics);

/// Functions of sums over rows: F1 of entities or of label sets. `score` takes the sums and
/// gives all metrics.
template <size_t N>
WeightedScores sum_scores_of(
    std::vector<std::array<int64_t, N>> rows,
    std::function<std::vector<double>(const std::array<int64_t, N>&)> score) {
  return [rows = std::move(rows), score = std::move(score)](RowWeights weights) {
    std::array<int64_t, N> sums{};
    for (size_t i = 0; i < rows.size(); ++i) {
      if (weights[i] == 0) continue;
      for (size_t k = 0; k < N; ++k) sums[k] += rows[i][k] * weights[i];
    }
    return score(sums);
  };
}

}  // namespace tenfold::eval

// One walk over the rows a resample.
// Not here: the metrics themselves.
#include "eval/resampled_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/finite_scores.h"

namespace tenfold::eval {
namespace {

/// Values of the rows, each as often as it counts.
std::vector<double> repeated_rows(const std::vector<double>& values, RowWeights weights) {
  std::vector<double> out;
  out.reserve(values.size());
  for (size_t i = 0; i < values.size(); ++i) out.insert(out.end(), weights[i], values[i]);
  return out;
}

}  // namespace

WeightedScores mean_scores_of(std::vector<std::vector<double>> columns) {
  for (const auto& column : columns) require_finite_scores(column, "score");
  return [columns = std::move(columns)](RowWeights weights) {
    std::vector<double> means;
    for (const std::vector<double>& column : columns) {
      double sum = 0, rows = 0;
      for (size_t i = 0; i < column.size(); ++i) {
        sum += weights[i] * column[i];
        rows += weights[i];
      }
      means.push_back(rows == 0 ? 0 : sum / rows);
    }
    return means;
  };
}

WeightedScores confusion_scores_of(std::span<const int64_t> gold,
                                   std::span<const int64_t> predicted, int64_t classes,
                                   std::vector<ConfusionMetric> metrics) {
  const Confusion all = confusion_of(gold, predicted, classes);
  std::vector<uint32_t> cells;  // of each row in the matrix
  for (size_t i = 0; i < gold.size(); ++i)
    cells.push_back(static_cast<uint32_t>(gold[i] * all.classes() + predicted[i]));
  return [cells = std::move(cells), count = all.classes(),
          metrics = std::move(metrics)](RowWeights weights) {
    std::vector<int64_t> sums(static_cast<size_t>(count * count), 0);
    for (size_t i = 0; i < cells.size(); ++i) sums[cells[i]] += weights[i];
    Confusion confusion(count);
    for (int64_t cell = 0; cell < count * count; ++cell)
      confusion.add(cell / count, cell % count, sums[static_cast<size_t>(cell)]);
    std::vector<double> scores;
    for (const ConfusionMetric& metric : metrics) scores.push_back(metric(confusion));
    return scores;
  };
}

WeightedScores column_scores_of(std::vector<double> predicted, std::vector<double> gold,
                                std::vector<ColumnMetric> metrics) {
  require_paired(predicted.size(), gold.size(), "scores");
  return [predicted = std::move(predicted), gold = std::move(gold),
          metrics = std::move(metrics)](RowWeights weights) {
    const auto said = repeated_rows(predicted, weights), right = repeated_rows(gold, weights);
    std::vector<double> scores;
    for (const ColumnMetric& metric : metrics)
      scores.push_back(metric(said, right).value_or(std::numeric_limits<double>::quiet_NaN()));
    return scores;
  };
}

}  // namespace tenfold::eval

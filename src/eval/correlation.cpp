// Two passes: means first, then sums of the centred products, so that large offsets cost nothing.
// Not here: significance of a correlation.
#include "eval/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/finite_scores.h"

namespace tenfold::eval {
namespace {

bool all_equal(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values[0]; });
}

/// Sums at the precision of long double: a million rows lose nothing that shows.
long double mean_of_column(std::span<const double> values) {
  long double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<long double>(values.size());
}

void require_columns(std::span<const double> predicted, std::span<const double> gold) {
  require_paired(predicted.size(), gold.size(), "scores");
  require_finite_scores(predicted, "predicted score");
  require_finite_scores(gold, "gold score");
}

std::optional<double> correlation_of(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2 || all_equal(x) || all_equal(y)) return std::nullopt;
  const long double mean_x = mean_of_column(x), mean_y = mean_of_column(y);
  long double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const long double dx = x[i] - mean_x, dy = y[i] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const long double spread = std::sqrt(xx) * std::sqrt(yy);
  if (spread == 0) return std::nullopt;  // squares of differences too small for any number
  return static_cast<double>(std::clamp(xy / spread, -1.0L, 1.0L));
}

}  // namespace

std::vector<double> mean_ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    const double rank = (static_cast<double>(first) + static_cast<double>(last)) / 2 + 1;
    for (size_t i = first; i <= last; ++i) ranks[order[i]] = rank;
    first = last + 1;
  }
  return ranks;
}

std::optional<double> pearson(std::span<const double> predicted, std::span<const double> gold) {
  require_columns(predicted, gold);
  return correlation_of(predicted, gold);
}

std::optional<double> spearman(std::span<const double> predicted, std::span<const double> gold) {
  require_columns(predicted, gold);
  return correlation_of(mean_ranks(predicted), mean_ranks(gold));
}

}  // namespace tenfold::eval

// What resampling the rows of a test set says about the difference of two systems (Koehn 2004;
// Berg-Kirkpatrick et al. 2012). Not here: running the systems, or how metrics are computed of
// resampled rows (resampled_scores.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace tenfold::eval {

/// How often each row stands in a resample.
using RowWeights = std::span<const uint32_t>;

/// Metrics of the rows so weighted, always as many and in the same order; NaN where one is
/// undefined for them. Called by several threads at once.
using WeightedScores = std::function<std::vector<double>(RowWeights)>;

/// What a paired bootstrap says about `b` - `a`, both being measured on the same rows.
struct BootstrapResult {
  double difference = 0;  ///< on the rows as they are; NaN where it is undefined
  double low = 0;         ///< 2.5 % quantile of the resampled differences
  double high = 0;        ///< 97.5 %
  /// Two-sided: twice the smaller share of resamples on either side of 0, at most 1. With R
  /// resamples no p-value is below 2 / (R + 1), since the data as they are count as one more
  /// (Davison and Hinkley 1997, section 4.2).
  double p_value = 1;
  int64_t undefined = 0;  ///< resamples left out because a side was undefined
};

struct BootstrapOptions {
  int64_t draws = 2000;
  uint64_t seed = 0;
};

/// One result a metric; several systems of a side (seeds) count with the mean of their metrics,
/// all on the same resample. The same for equal arguments on every machine. Error{data} without
/// rows; Error{shape} where a side is empty or the numbers of metrics differ.
std::vector<BootstrapResult> paired_bootstrap(int64_t rows, std::span<const WeightedScores> a,
                                              std::span<const WeightedScores> b,
                                              const BootstrapOptions& options = {});

/// Of means: a[i] and b[i] belong to the same row. Error{shape} for lists of unequal length, or
/// empty ones.
BootstrapResult paired_bootstrap(std::span<const double> a, std::span<const double> b,
                                 const BootstrapOptions& options = {});

}  // namespace tenfold::eval

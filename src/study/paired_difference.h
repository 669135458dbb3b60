// Whether two lists of paired figures differ: Student's paired t-test.
// Not here: resampling of rows (eval/bootstrap.h), or choosing the pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace tenfold::study {

/// mean(b) - mean(a) with its 95 % interval and two-sided p-value. Without at least two pairs there
/// is a difference but neither of the others; pairs that all differ by the same give p = 0 (1 where
/// they do not differ).
struct PairedDifference {
  double difference = 0;
  int64_t pairs = 0;
  std::optional<double> half_width;  ///< of the interval
  std::optional<double> p_value;
};

/// Error{shape} for lists of unequal length, or empty ones.
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b);

/// P(|T| >= t) of Student's t with `freedom` >= 1 degrees of freedom
/// (Abramowitz and Stegun, 26.7.3 and 26.7.4).
double student_two_sided(double t, int64_t freedom);

/// The t with student_two_sided(t, freedom) = p, for 0 < p < 1.
double student_critical(double p, int64_t freedom);

}  // namespace tenfold::study

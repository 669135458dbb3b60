// Student's distribution as a finite sum, and the test built on it.
// Not here: choosing the pairs.
#include "study/paired_difference.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "eval/metrics.h"
#include "support/fail.h"

namespace tenfold::study {

double student_two_sided(double t, int64_t freedom) {
  require(freedom >= 1, ErrorKind::shape, "paired test", "{} degrees of freedom", freedom);
  const double angle = std::atan(std::abs(t) / std::sqrt(static_cast<double>(freedom)));
  const double squared_cosine = std::cos(angle) * std::cos(angle);
  const bool odd = freedom % 2 == 1;
  // 1 + 1/2 c^2 + (1 3)/(2 4) c^4 + ... for even, 1 + 2/3 c^2 + ... for odd degrees of freedom.
  double term = 1, sum = freedom > 1 ? 1.0 : 0.0;
  for (int64_t k = odd ? 2 : 1; k + 2 < freedom; k += 2) {
    term *= squared_cosine * static_cast<double>(k) / static_cast<double>(k + 1);
    sum += term;
  }
  const double inside =
      odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * std::cos(angle) * sum)
          : std::sin(angle) * sum;
  return std::clamp(1 - inside, 0.0, 1.0);
}

double student_critical(double p, int64_t freedom) {
  double low = 0, high = 1;
  while (student_two_sided(high, freedom) > p) high *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = (low + high) / 2;
    (student_two_sided(middle, freedom) > p ? low : high) = middle;
  }
  return (low + high) / 2;
}

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b) {
  require(a.size() == b.size() && !a.empty(), ErrorKind::shape, "paired test",
          "two lists of equal length are needed, got {} and {}", a.size(), b.size());
  std::vector<double> gains(a.size());
  for (size_t i = 0; i < a.size(); ++i) gains[i] = b[i] - a[i];
  const eval::MeanDeviation gain = eval::mean_deviation(gains);
  PairedDifference out{
      .difference = gain.mean, .pairs = gain.count, .half_width = {}, .p_value = {}};
  if (gain.count < 2) return out;
  const int64_t freedom = gain.count - 1;
  const double error = gain.deviation / std::sqrt(static_cast<double>(gain.count));
  out.half_width = student_critical(0.05, freedom) * error;
  out.p_value = error > 0          ? student_two_sided(gain.mean / error, freedom)
                : gain.mean == 0.0 ? 1.0
                                   : 0.0;
  return out;
}

}  // namespace tenfold::study

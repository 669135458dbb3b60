// The checks of finite_scores.h.
// Not here: any metric.
#include "eval/finite_scores.h"

#include <cmath>

#include "support/fail.h"

namespace tenfold::eval {

void require_finite_scores(std::span<const double> values, std::string_view what) {
  for (size_t i = 0; i < values.size(); ++i) {
    require(std::isfinite(values[i]), ErrorKind::data, "scores",
            "row {}: the {} is {}, expected a finite number", i + 1, what, values[i]);
  }
}

void require_paired(size_t predicted, size_t gold, std::string_view what) {
  require(predicted == gold, ErrorKind::data, "scores",
          "{} predicted {} for {} gold ones, expected equally many", predicted, what, gold);
}

}  // namespace tenfold::eval

// The legal interval of a number in the configuration, and its wording.
// Not here: rules between several fields (a struct's validate()).
#pragma once

#include <limits>
#include <string>

namespace tenfold::config {

/// An interval whose ends may be open. The default holds every number but NaN.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< low itself is not legal
  bool high_open = false;  ///< high itself is not legal

  bool holds(double value) const;

  /// What a value must be: ">= 1", "> 0", "in [0, 1)"; empty where everything is legal.
  std::string text() const;
};

inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .low_open = true}; }
inline Range at_most(double high) { return {.high = high}; }
inline Range below(double high) { return {.high = high, .high_open = true}; }
inline Range between(double low, double high) { return {.low = low, .high = high}; }

/// A probability or share: [0, 1].
inline Range fraction() { return between(0.0, 1.0); }

/// A rate that may not reach one, such as dropout: [0, 1).
inline Range fraction_below_one() { return {.low = 0.0, .high = 1.0, .high_open = true}; }

}  // namespace tenfold::config

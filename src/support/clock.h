// The clock for measuring: seconds that never jump.
// Not here: dates.
#pragma once

#include <chrono>

namespace tenfold {

/// Seconds since some fixed moment, monotonic.
inline double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Measures from its construction or last restart.
class Stopwatch {
 public:
  double seconds() const { return monotonic_seconds() - start_; }
  void restart() { start_ = monotonic_seconds(); }

 private:
  double start_ = monotonic_seconds();
};

}  // namespace tenfold

// Times work in groups of calls and prints JSON lines, by the protocol that the peers' harness
// follows too. Not here: the work itself (bench_*.cpp), or deciding which of two programs is
// faster.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench.h"

namespace tenfold::app {

/// Seconds of single calls that were timed together.
using CallGroup = std::vector<double>;

/// One benchmark's case names, timing and output.
class BenchTimer {
 public:
  explicit BenchTimer(const BenchOptions& options) : options_(options) {}

  /// Whether --cases lets this case through.
  bool wants(const std::string& name) const;

  /// Groups of at least a quarter of a second. The first call warms up and sizes the groups; it
  /// counts itself only where it alone exceeds the budget and five seconds. Groups during which
  /// other processes were busy are dropped while there are clean ones, and a "guard" line on stderr
  /// says so.
  std::vector<CallGroup> time(const std::string& name, const std::function<void()>& work) const;

  /// A line of `amount` per call and second.
  void rate(const std::string& name, const std::vector<CallGroup>& groups, double amount,
            const std::string& metric, const std::string& unit) const;

  /// A line whose value is the median of the samples.
  void emit(const std::string& name, const std::string& metric, const std::string& unit,
            const std::vector<double>& samples) const;

  /// A line with a value of its own.
  void emit_value(const std::string& name, const std::string& metric, const std::string& unit,
                  const std::vector<double>& samples, double value) const;

  const BenchOptions& options() const { return options_; }

 private:
  BenchOptions options_;
};

/// All calls of all groups.
std::vector<double> all_calls(const std::vector<CallGroup>& groups);

/// A remark on stderr.
void bench_remark(const std::string& text);

/// Highest resident size of this process so far, MiB.
double peak_mib();

/// Cores used by others above which a sample does not count.
inline constexpr double kBusyCores = 0.10;

}  // namespace tenfold::app

// How a long task reports how far it is; the program decides whether and how it is shown.
// Not here: drawing (terminal.h) or metrics files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tenfold {

/// A moment of a long task.
struct Progress {
  std::string task = {};  ///< "pretrain", "prepare"
  int64_t done = 0;
  int64_t total = 0;          ///< 0: unknown
  std::string unit = "step";  ///< what done and total count
  std::optional<double> tokens_per_second = {};
  std::optional<double> loss = {};
  std::string note = {};  ///< shown at the end, may be empty
};

/// Takes moments as often as the task likes; showing less often is its business. Called from one
/// thread.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void update(const Progress& progress) = 0;

  /// The task is over (or was left by an exception): nothing more is drawn over the next line.
  virtual void finish() = 0;
};

/// Shows nothing: the library's default.
ProgressSink& no_progress();

}  // namespace tenfold

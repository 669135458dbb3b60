// RUN/metrics.jsonl: one JSON object a logged step or validation, in the order they happened.
// Not here: TensorBoard's form of the same numbers (tensorboard.h), or averaging.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "support/files.h"
#include "train/hook.h"

namespace tenfold::train {

/// The mean of the updates since the last line. Counts are sums; `tokens` and `seconds` are those
/// of the run.
struct StepLine {
  StepReport mean;
  int64_t tokens = 0;
  double tokens_per_second = 0;
  double seconds = 0;   ///< of training, validation and saving left out
  int64_t skipped = 0;  ///< updates that were not finite, over the run
};

/// Numbers that are not finite are written as null. Every line is in the file when the call
/// returns.
class MetricsLog {
 public:
  /// Opens or makes the file and drops every line whose step is past `keep_step`, and a torn last
  /// line.
  MetricsLog(const std::filesystem::path& path, int64_t keep_step);
  void step(const StepLine& line);
  void validation(int64_t step, double seconds, const Metrics& metrics);
  void sync() { file_->sync(); }

 private:
  std::unique_ptr<AppendFile> file_;
};

}  // namespace tenfold::train

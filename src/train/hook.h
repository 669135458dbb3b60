// Places in a run where a method or the program may look on, or ask to stop.
// Not here: logging, validation and checkpoints, which the trainer does itself in a fixed order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tenfold::train {

using Metrics = std::map<std::string, double, std::less<>>;

/// One update as it happened.
struct StepReport {
  int64_t step = 0;    ///< updates so far, this one included
  int64_t epoch = 0;   ///< of its last batch, from 0
  int64_t tokens = 0;  ///< real tokens of this update
  double loss = 0;     ///< weighted sum of the parts' means
  Metrics parts;       ///< mean of each loss part
  Metrics counts;      ///< sums the objective reported
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  bool applied = true;       ///< false: not finite, skipped
};

enum class Wish : uint8_t { go_on, stop };

/// Called on the training thread, in the order given to the trainer.
class Hook {
 public:
  virtual ~Hook() = default;
  /// Key of its state in a checkpoint; unique in a run.
  virtual std::string name() const = 0;
  /// Before the first forward of the update that follows `step` updates.
  virtual void before_step(int64_t step) { static_cast<void>(step); }
  virtual Wish after_step(const StepReport& report) {
    static_cast<void>(report);
    return Wish::go_on;
  }
  virtual void after_validation(int64_t step, const Metrics& metrics) {
    static_cast<void>(step);
    static_cast<void>(metrics);
  }
  /// What a resumed run needs besides step and seed; most hooks need nothing.
  virtual std::string state() const { return {}; }
  virtual void load_state(const std::string& state) { static_cast<void>(state); }
};

}  // namespace tenfold::train

// A module that changes by itself as training goes on.
// Not here: what a step does.
#pragma once

#include <cstdint>

namespace tenfold::nn {

/// Mixed into a module that a trainer tells the step: how it stands is a pure function of the
/// module's seed and the step, so a resumed run has nothing to restore.
class StepAware {
 public:
  virtual ~StepAware() = default;
  /// Before the first forward of the update that follows `step` updates; no pass is running.
  virtual void before_step(int64_t step) = 0;
};

}  // namespace tenfold::nn

// Watches what other processes take of the machine while a run trains: fewer threads where the
// recipe allows that, a hint where it does not.
// Not here: the measure (support/cpu_load.h).
#pragma once

#include "support/cpu_load.h"
#include "support/log.h"
#include "train/hook.h"

namespace tenfold::app {

/// Threads that wait for one another stand still where a neighbour holds the core of one of them.
/// A second of measuring decides for the next one. Sums over threads are taken in another order
/// then, so the last digits of a run depend on its neighbours: `train.share_cores` allows it.
class CoreSharing final : public train::Hook {
 public:
  CoreSharing(bool allowed, Log& log);

  std::string name() const override { return "core_sharing"; }
  void before_step(int64_t step) override;

 private:
  bool allowed_;
  Log& log_;
  CpuLoad load_;
  int most_, machine_cores_;
  bool hinted_ = false;
};

}  // namespace tenfold::app

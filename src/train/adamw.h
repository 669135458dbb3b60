// AdamW (Loshchilov and Hutter 2019, algorithm 2): Adam with decoupled weight decay and, by choice,
// bias correction. Not here: the schedule's factor (schedule.h) or clipping (clip.h).
#pragma once

#include <string>
#include <vector>

#include "config/fields.h"
#include "train/adam_moments.h"
#include "train/optimizer.h"

namespace tenfold::train {

struct AdamWOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  ///< not applied to biases and one-dimensional parameters
  bool bias_correction = true;

  void fields(config::FieldVisitor& v);
};

/// One fused kernel call a group of equal (decay, rate). The state of a parameter begins with its
/// first gradient: "<name>.exp_avg", "<name>.exp_avg_sq" and the 0-d fp32 count "<name>.step".
class AdamW final : public Optimizer {
 public:
  AdamW(std::vector<Parameter> parameters, const AdamWOptions& options);

  void step(double factor) override;
  double learning_rate() const override { return options_.learning_rate; }
  TensorsByName state() const override { return state_of(slots_); }
  void load_state(const TensorsByName& state) override { load_state_of(slots_, state); }

 private:
  /// Slots that share one kernel call.
  struct Group {
    double learning_rate_scale;
    double weight_decay;
    std::vector<size_t> slots;
  };

  AdamWOptions options_;
  std::vector<MomentSlot> slots_;
  std::vector<Group> groups_;
};

/// The same update of one tensor in plain loops and double precision, as the definition the kernel
/// must meet. `step` counts from 1; `rate` and `decay` are the effective ones. All on the CPU,
/// changed in place.
struct AdamWReference {
  std::vector<double> value, exp_avg, exp_avg_sq;

  void update(const std::vector<double>& gradient, int64_t step, double rate, double decay,
              const AdamWOptions& options);
};

}  // namespace tenfold::train

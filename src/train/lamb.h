// LAMB (You et al. 2020, algorithm 2): Adam's step, scaled in each tensor to the size of its
// weights. Not here: the schedule's factor (schedule.h) or clipping of gradients (clip.h).
#pragma once

#include <string>
#include <vector>

#include "config/fields.h"
#include "train/adam_moments.h"
#include "train/optimizer.h"

namespace tenfold::train {

struct LambOptions {
  double learning_rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-6;
  double weight_decay = 0.01;  ///< not applied to biases and one-dimensional parameters
  bool bias_correction = true;
  bool adapt_exempt = true;  ///< scale the step of parameters without decay too
  double norm_low = 0;       ///< the paper's gamma_l
  double norm_high = 0;      ///< the paper's gamma_u; 0: none

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// With m, v as in Adam: u = m / (sqrt(v) + epsilon) + decay x;
/// x -= rate phi(|x|) / |u| u, phi(z) = min(max(z, norm_low), norm_high). The ratio is 1 where
/// phi(|x|) or |u| is 0: a tensor of zeros could not move otherwise. The state of a parameter
/// begins with its first gradient: "<name>.exp_avg", "<name>.exp_avg_sq" and the 0-d fp32 count
/// "<name>.step".
class Lamb final : public Optimizer {
 public:
  Lamb(std::vector<Parameter> parameters, const LambOptions& options);

  void step(double factor) override;
  double learning_rate() const override { return options_.learning_rate; }
  TensorsByName state() const override { return state_of(slots_); }
  void load_state(const TensorsByName& state) override { load_state_of(slots_, state); }

 private:
  Tensor trust_ratio(const Tensor& value, const Tensor& update) const;

  LambOptions options_;
  std::vector<MomentSlot> slots_;
};

/// The same update of one tensor in plain loops and double precision, as the definition the fast
/// form must meet. `step` counts from 1; `rate` and `decay` are the effective ones; without `adapt`
/// the ratio is 1.
struct LambReference {
  std::vector<double> value, exp_avg, exp_avg_sq;

  void update(const std::vector<double>& gradient, int64_t step, double rate, double decay,
              bool adapt, const LambOptions& options);
};

}  // namespace tenfold::train

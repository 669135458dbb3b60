// Adafactor (Shazeer and Stern 2018, algorithms 4 and 5): squared gradients kept by row and column,
// updates of limited size, rates in proportion to the weights. Not here: the schedule's factor
// (schedule.h) or clipping of gradients (clip.h).
#pragma once

#include <string>
#include <vector>

#include "config/fields.h"
#include "train/optimizer.h"

namespace tenfold::train {

struct AdafactorOptions {
  double learning_rate = 1e-3;    ///< unused with relative_step
  bool scale_parameter = true;    ///< rate times max(epsilon_scale, rms(value))
  bool relative_step = false;     ///< rate min(0.01, 1 / sqrt(t)) at update t
  bool warmup_init = false;       ///< of relative_step: min(1e-6 t, 1 / sqrt(t))
  double momentum = 0;            ///< the paper's beta_1; 0 keeps no mean of the updates
  double decay_exponent = 0.8;    ///< memory 1 - t^-decay_exponent of squared gradients
  double clip_threshold = 1;      ///< limit of the root mean square of an update
  double epsilon_square = 1e-30;  ///< the paper's epsilon_1
  double epsilon_scale = 1e-3;    ///< the paper's epsilon_2
  int64_t factor_from = 128;      ///< shorter of the last two axes from which a tensor is factored
  double weight_decay = 0;        ///< not applied to biases and one-dimensional parameters

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// The state of a parameter begins with its first gradient: the int64 count "<name>.step";
/// "<name>.exp_avg_sq_row" and "<name>.exp_avg_sq_col" where it is factored (means over the last
/// and the last but one axis), else "<name>.exp_avg_sq"; "<name>.exp_avg" with momentum.
class Adafactor final : public Optimizer {
 public:
  Adafactor(std::vector<Parameter> parameters, const AdafactorOptions& options);

  void step(double factor) override;
  double learning_rate() const override { return relative_rate(updates_ + 1); }
  TensorsByName state() const override;
  void load_state(const TensorsByName& state) override;

 private:
  struct Slot {
    Parameter parameter;
    bool factored = false;
    int64_t step = 0;
    Tensor row = {}, col = {};  ///< of factored ones
    Tensor square = {};         ///< of the others
    Tensor mean = {};           ///< with momentum
  };

  void begin(Slot& slot) const;
  double relative_rate(int64_t step) const;
  Tensor scaled_gradient(Slot& slot) const;

  AdafactorOptions options_;
  std::vector<Slot> slots_;
  int64_t updates_ = 0;
};

/// The same update of one tensor in plain loops and double precision, as the definition the fast
/// form must meet: `matrices` x rows x columns numbers, or any number with columns = 0 where
/// nothing is factored. `factor` is the schedule's times the group's scale.
struct AdafactorReference {
  size_t rows = 0, columns = 0;
  std::vector<double> value, row = {}, col = {}, square = {}, mean = {};

  void update(const std::vector<double>& gradient, int64_t step, double factor, double decay,
              const AdafactorOptions& options);

 private:
  std::vector<double> estimate(const std::vector<double>& gradient, double memory,
                               const AdafactorOptions& options);
};

}  // namespace tenfold::train

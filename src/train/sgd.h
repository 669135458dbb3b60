// Stochastic gradient descent with momentum, as torch's SGD has it.
// Not here: clipping (clip.h) or the schedule's factor (schedule.h).
#pragma once

#include <vector>

#include "config/fields.h"
#include "train/optimizer.h"

namespace tenfold::train {

struct SgdOptions {
  double learning_rate = 0.1;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay =
      0;  ///< added to the gradient; not for biases and one-dimensional parameters

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// buffer = momentum buffer + g; value -= rate buffer (nesterov: g + momentum buffer). The state of
/// a parameter begins with its first gradient: "<name>.momentum", nothing without momentum.
class Sgd final : public Optimizer {
 public:
  Sgd(std::vector<Parameter> parameters, const SgdOptions& options);

  void step(double factor) override;
  double learning_rate() const override { return options_.learning_rate; }
  TensorsByName state() const override;
  void load_state(const TensorsByName& state) override;

 private:
  struct Slot {
    Parameter parameter;
    Tensor momentum = {};  ///< undefined before the first gradient
  };

  SgdOptions options_;
  std::vector<Slot> slots_;
};

}  // namespace tenfold::train

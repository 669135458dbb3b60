// The model half of an objective: what is computed and optimised in a step.
// Not here: masks and labels (the collator's half, data/collator.h), or the optimiser (train).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "data/batch.h"
#include "model/encoder.h"
#include "model/owned_module.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// One optimisation step as an objective sees it.
struct StepContext {
  bool training = true;
  uint64_t seed = 0;
  uint64_t step = 0;  ///< optimiser steps taken

  /// The pass of the `forward`-th forward of this step, with dropout streams of its own.
  PassContext pass(const data::Batch& batch, uint64_t forward = 0) const;
};

/// The SUM of a loss over its items; the trainer divides by the total of the batches' denominators
/// of that name.
struct LossPart {
  std::string name;
  Tensor sum;           ///< 0-d, fp32 or wider, attached to the graph
  double weight = 1.0;  ///< of the mean in the total loss
};

struct StepResult {
  std::vector<LossPart> parts;
  std::map<std::string, double>
      counts;  ///< sums to be reported (correct predictions, ...), added over the window
};

/// step() may run several forwards with sampling between them. The model never knows which
/// objective trains it.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::vector<OwnedModule> modules() = 0;
  virtual StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) = 0;
};

}  // namespace tenfold::model

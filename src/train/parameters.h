// The list of what a run optimises: every parameter once, with its checkpoint name and the rules of
// its group. Not here: how it is moved (optimizer.h).
#pragma once

#include <string>
#include <vector>

#include "model/objective.h"
#include "tensor/torch.h"

namespace tenfold::train {

/// A leaf tensor to be optimised.
struct Parameter {
  std::string name;  ///< as in the checkpoint: the owner's prefix and the name within its module
  Tensor value;
  std::string group = "default";
  double learning_rate_scale = 1.0;
  bool decays = true;  ///< weight decay applies: two or more dimensions and not a bias
};

/// The parameters of all modules that require a gradient, in order; a tensor shared by two owners
/// is listed once, under the first. Error{internal} where two different tensors have one name.
std::vector<Parameter> collect_parameters(const std::vector<model::OwnedModule>& modules);

/// Drops all gradients (undefined, not zero): the next backward allocates what it needs.
void clear_gradients(const std::vector<Parameter>& parameters);

}  // namespace tenfold::train

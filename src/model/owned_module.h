// A module with the prefix its tensors are stored under: what optimisers, checkpoints and
// synchronisation see of a model. Not here: what any module computes.
#pragma once

#include <memory>
#include <string>

#include "tensor/torch.h"

namespace tenfold::model {

/// A module somebody owns (encoder, head, generator, scorer): optimised, saved under `prefix`,
/// synchronised.
struct OwnedModule {
  std::string prefix;  ///< of its tensor names in a checkpoint, e.g. "cls.predictions."
  std::shared_ptr<torch::nn::Module> module;
  std::string group = "default";     ///< parameter group
  double learning_rate_scale = 1.0;  ///< of that group
};

}  // namespace tenfold::model

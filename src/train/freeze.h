// Parameters that a run leaves as they are, chosen by patterns of their names.
// Not here: how fast the others move (layer_decay.h).
#pragma once

#include <string>
#include <vector>

#include "model/objective.h"

namespace tenfold::train {

/// Parameters that match one of the shell patterns ("embeddings.*", "encoder.layer.[0-3].*"; *
/// takes dots in) no longer require a gradient: they get none, and no optimizer state. A pattern
/// matches the whole name in the checkpoint ("bert.embeddings.LayerNorm.bias") or, of the first
/// module, the name without the module's prefix. Returns how many numbers are frozen. Error{config}
/// for a pattern that matches nothing, with the names nearest to it.
int64_t freeze(const std::vector<model::OwnedModule>& modules,
               const std::vector<std::string>& patterns);

}  // namespace tenfold::train

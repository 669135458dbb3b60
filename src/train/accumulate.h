// Gradients of one update over the batches of its window, independent of how the window is cut into
// batches. Not here: the update (optimizer.h) and what is done with a loss that is not finite
// (trainer.h).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/batch.h"
#include "train/hook.h"
#include "train/trainee.h"

namespace tenfold::train {

/// Losses of a window, still on the device: reading them is the step's one synchronisation.
struct WindowLoss {
  std::vector<std::string> names;  ///< of the parts, in order of appearance
  std::vector<double> weights;     ///< of each part's mean in the loss
  Tensor means;                    ///< float64 [parts]
  Metrics counts;
  int64_t tokens = 0;
};

/// Runs every batch forward and backward, adding to the parameters' gradients. Each part's sum is
/// divided by that part's denominators totalled over the window; a part whose total is 0 is left
/// out. Dropout hangs on (seed, step, example), so the cut does not show there either.
/// Error{internal} for a part without denominator.
WindowLoss accumulate_gradients(Trainee& trainee, const std::vector<data::Batch>& window,
                                const model::StepContext& context);

}  // namespace tenfold::train

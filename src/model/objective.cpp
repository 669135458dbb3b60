// The pass of a step.
// Not here: objectives.
#include "model/objective.h"

#include "support/rng.h"

namespace tenfold::model {

PassContext StepContext::pass(const data::Batch& batch, uint64_t forward) const {
  if (!training) return PassContext::evaluation();
  return {.training = true,
          .key = combine_keys(combine_keys(combine_keys(mix_bits(seed), key_of_name("pass")), step),
                              forward),
          .example_keys = batch.example_ids};
}

}  // namespace tenfold::model

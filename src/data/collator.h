// The data half of an objective: examples in, batch out, on the background thread.
// Not here: parameters and losses (model/objective.h).
#pragma once

#include <cstdint>
#include <span>

#include "data/batch.h"
#include "data/example.h"

namespace tenfold::data {

/// What randomness may depend on: never a rank, a worker or the batch's company.
struct DrawContext {
  uint64_t seed = 0;
  uint64_t epoch = 0;  ///< how often the data set has been seen: masks are redrawn each time
};

/// Collators have no parameters and no state: collate is const and thread-safe, and what it draws
/// for an example is a pure function of (seed, epoch, example id).
class Collator {
 public:
  virtual ~Collator() = default;
  virtual Batch collate(std::span<const Example> examples, const DrawContext& draw) const = 0;
};

}  // namespace tenfold::data

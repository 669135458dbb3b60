// Batches of labelled texts and pairs.
// Not here: reading and tokenising them (task.h).
#pragma once

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens", the field "labels" (int64 [B]), "weights" where one differs from 1,
/// and the denominator "classification" (the sum of the weights). Examples without a label get -1:
/// they are for prediction only.
class ClassificationCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

}  // namespace tenfold::data

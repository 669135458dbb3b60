// Batches of labelled texts and pairs.
// Not here: reading and tokenising them (task.h).
#pragma once

#include <utility>
#include <vector>

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens", the field "labels" (int64 [B]), "weights" where one differs from 1,
/// and the denominator "classification": the sum of the weights, each times that of the label's
/// class. Examples without a label get -1: they are for prediction only.
class ClassificationCollator final : public Collator {
 public:
  /// `class_weights`: one a class (class_weights.h); none: all 1.
  explicit ClassificationCollator(std::vector<double> class_weights = {})
      : class_weights_(std::move(class_weights)) {}

  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;

 private:
  std::vector<double> class_weights_;
};

}  // namespace tenfold::data

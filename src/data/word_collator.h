// Batches of tagged words.
// Not here: cutting rows into windows (word_windows.h).
#pragma once

#include <utility>
#include <vector>

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens", the field "word_rows" (int64 [W]: rows of the packed block, those of
/// first pieces), "tags" (int64 [W], below 0: not scored; left out where no example has labels) and
/// the denominator "tagging" (scored words, each times the weight of its tag's class).
class WordCollator final : public Collator {
 public:
  /// `class_weights`: one a class (class_weights.h); none: all 1.
  explicit WordCollator(std::vector<double> class_weights = {})
      : class_weights_(std::move(class_weights)) {}

  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;

 private:
  std::vector<double> class_weights_;
};

}  // namespace tenfold::data

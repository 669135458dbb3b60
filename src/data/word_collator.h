// Batches of tagged words.
// Not here: cutting rows into windows (word_windows.h).
#pragma once

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens", the field "word_rows" (int64 [W]: rows of the packed block, those of
/// first pieces), "tags" (int64 [W], below 0: not scored; left out where no example has labels) and
/// the denominator "tagging" (scored words).
class WordCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

}  // namespace tenfold::data

// Batches of windows over contexts.
// Not here: making the windows (span_windows.h).
#pragma once

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens" and, where the examples have labels, the fields "begin" and "end"
/// (int64 [B]: rows of the packed block) and the denominator "span" (windows).
class SpanCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

}  // namespace tenfold::data

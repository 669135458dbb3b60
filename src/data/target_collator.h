// Batches of texts and pairs whose labels are numbers: a score, or a 0 or 1 for each class.
// Not here: one class a row (classification_collator.h).
#pragma once

#include <string>

#include "data/collator.h"

namespace tenfold::data {

/// Gives the input "tokens" and, where the examples have labels, the field "targets" (float32
/// [B, C], all rows as long) and the denominator `part` (B * C: means are over numbers).
class TargetCollator final : public Collator {
 public:
  explicit TargetCollator(std::string part) : part_(std::move(part)) {}
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;

 private:
  std::string part_;
};

}  // namespace tenfold::data

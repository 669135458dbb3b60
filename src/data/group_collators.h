// Batches of groups of texts: choices, contrastive rows, scored pairs.
// Not here: making the groups (text_group.h), or losses.
#pragma once

#include "data/collator.h"

namespace tenfold::data {

/// A question with its choices. Gives the input "tokens" (a sequence a choice), the field "choices"
/// (int64 [B, C]: the sequence of each choice, -1 beyond the last), "labels" (int64 [B]) where the
/// examples have them, and the denominator "choice" (rows).
class ChoiceCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

/// Anchor, positive, negatives. Candidates are the positives of all rows, then their negatives.
/// Gives the input "tokens", the fields "anchors" (int64 [B]) and "candidates" (int64 [C]), both
/// sequences; candidate b is the positive of row b; "allowed" (bool [B, C]): a candidate does not
/// count against a row where it is another copy of the row's anchor or positive, or the positive of
/// an equal anchor. The denominator "contrastive" is the number of rows.
class ContrastiveCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

/// Two texts with a score. Gives the input "tokens" (both texts of row b are the sequences 2 b and
/// 2 b + 1) and, where the examples have labels, the field "scores" (float32 [B]). Denominators:
/// "cosine" (rows) and "cosent" (1: its loss compares the pairs of one batch).
class ScoredPairCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;
};

}  // namespace tenfold::data

// Several texts in one example: the choices of a question, an anchor with its positives and
// negatives, a scored pair. Not here: what is learnt from them (the collators).
#pragma once

#include <span>

#include "data/batch.h"
#include "data/example.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

/// Adds a text to the example's group: the sequences "tokens" and "segments" grow by its pieces,
/// "ends" by the place behind its last one.
void append_text(Example& example, const Encoding& text);

/// The texts of groups as sequences of their own.
struct TextGroups {
  TokenBlock block;
  std::vector<uint64_t> ids;   ///< one a sequence: where dropout takes its streams from
  std::vector<int64_t> first;  ///< of each example, its first sequence
  std::vector<int64_t> count;  ///< of each example, its sequences
};

/// Error{internal} where an example has no "ends" or they do not fit its tokens.
TextGroups pack_groups(std::span<const Example> examples);

}  // namespace tenfold::data

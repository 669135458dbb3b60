// Packing the token sequences of examples into one block.
// Not here: masks of tokens or labels (the collators).
#pragma once

#include <span>

#include "data/batch.h"
#include "data/example.h"

namespace tenfold::data {

/// The sequences "tokens" (and "segments", where any example has them) row after row, every row
/// seeing all of its own. Error{internal} where an example lacks "tokens" or the lengths differ.
TokenBlock pack_tokens(std::span<const Example> examples);

/// Global ids of the examples, in order.
std::vector<uint64_t> ids_of(std::span<const Example> examples);

/// int64 tensor of the numbers.
Tensor long_tensor(const std::vector<int64_t>& numbers);

}  // namespace tenfold::data

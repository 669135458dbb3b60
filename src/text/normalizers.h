// The normalizers of tokenizer.json, each one step over a mapped text.
// Not here: BERT's own on the fast path (char_table.h).
#pragma once

#include <functional>
#include <vector>

#include "text/json_block.h"
#include "text/mapped_chars.h"

namespace tenfold::text {

using Normalizer = std::function<void(MappedChars&)>;

/// Of a normalizer block. Errors: checkpoint for damage, unsupported naming a type or key that is
/// not understood.
Normalizer compile_normalizer(const Block& block);

}  // namespace tenfold::text

// The pre-tokenizers of tokenizer.json: each cuts the parts of a text further, some change it.
// Not here: the fast paths of BERT (word_scanner.h) and byte-level BPE (gpt2_pattern.h).
#pragma once

#include <functional>
#include <vector>

#include "text/json_block.h"
#include "text/mapped_chars.h"

namespace tenfold::text {

using Ranges = std::vector<CharRange>;
/// Ranges come in order and do not overlap; none is empty.
using Splitter = std::function<void(MappedChars&, Ranges&)>;

/// Of a pre_tokenizer block. `byte_level` is set where the block ends in ByteLevel, whose words the
/// model takes as bytes. Errors: checkpoint for damage, unsupported naming a type or key that is
/// not understood.
Splitter compile_splitter(const Block& block, bool& byte_level);

}  // namespace tenfold::text

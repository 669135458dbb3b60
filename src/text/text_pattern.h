// The patterns that tokenizer.json files of the known families hold: a literal string, or a small
// regular expression of one character with a count. Not here: regular expressions at large.
#pragma once

#include <functional>
#include <vector>

#include "text/json_block.h"
#include "text/mapped_chars.h"

namespace tenfold::text {

/// All matches in a part, leftmost, not overlapping, none empty; appended to the vector.
using Pattern = std::function<void(const MappedChars&, CharRange, std::vector<CharRange>&)>;

/// GPT-2's splitting pattern.
Pattern gpt2_pattern();

/// Of the block's "pattern": {"String": ...} or {"Regex": ...}, where the expression is GPT-2's, or
/// one literal character, \s, \p{L} or \p{N}, alone or with + or {n,}. Error
/// (unsupported) naming any other.
Pattern compile_pattern(const Block& block);

}  // namespace tenfold::text

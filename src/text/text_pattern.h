// The patterns that tokenizer.json files of the known families hold: a literal string, or a small
// regular expression of one character with a count. Not here: regular expressions at large.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "text/json_block.h"
#include "text/mapped_chars.h"

namespace tenfold::text {

/// GPT-2's splitting pattern as it stands in files.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

/// All matches in a part, leftmost, not overlapping, none empty; appended to the vector.
using Pattern = std::function<void(const MappedChars&, CharRange, std::vector<CharRange>&)>;

/// Of the block's "pattern": {"String": ...} or {"Regex": ...}, where the expression is GPT-2's, or
/// one literal character, \s, \p{L} or \p{N}, alone or with + or {n,}. Error
/// (unsupported) naming any other.
Pattern compile_pattern(const Block& block);

}  // namespace tenfold::text

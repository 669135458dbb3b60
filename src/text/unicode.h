// What a code point is, as the stock tokenizers see it: for BERT categories of Unicode 8,
// decompositions and combining classes of Unicode 9 and lower case of Unicode 17; for patterns the
// classes of Unicode 16. All as utf8proc's Unicode 15 plus lists of differences. Not here: what a
// tokenizer makes of it (char_table.h, normalizers.h, text_pattern.h).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tenfold::text {

/// Up to four code points.
struct CodePoints {
  std::array<uint32_t, 4> value{};
  uint32_t count = 0;
};

/// Controls, formats and private use, without tab, line feed and carriage return. Unassigned ones
/// are none.
bool is_control(uint32_t c);
/// Everything with the property White_Space.
bool is_blank(uint32_t c);
/// ASCII symbols and every category of punctuation.
bool is_punctuation(uint32_t c);
/// Ideographs that stand as words of their own.
bool is_ideograph(uint32_t c);
/// Nonspacing marks: what accent stripping removes.
bool is_nonspacing_mark(uint32_t c);
/// Canonical combining class; 0 for starters.
uint8_t combining_class(uint32_t c);
/// Full canonical decomposition, not reordered.
CodePoints decompose(uint32_t c);
/// Lower case of one code point without context; one or two code points.
CodePoints lower_case(uint32_t c);

/// What splitting patterns ask of a character: \p{L}, \p{N}, \s (Unicode 16) or none of them.
enum class LetterClass : uint8_t { other, letter, number, space };
LetterClass letter_class(uint32_t c);
/// Marks of every kind: what the stock StripAccents removes.
bool is_accent(uint32_t c);
/// The regular expression \w.
bool is_word_character(uint32_t c);
/// Full compatibility decomposition, not reordered.
std::vector<uint32_t> decompose_compatible(uint32_t c);
/// The one character that two compose to canonically, or 0.
uint32_t compose(uint32_t first, uint32_t second);
/// Whether a user-perceived character may end between the two; `state` starts at 0 with each text.
bool breaks_grapheme(uint32_t before, uint32_t after, int32_t& state);

}  // namespace tenfold::text

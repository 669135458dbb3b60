// GPT-2's splitting pattern, by hand: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
// ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ (Radford et al. 2019, released code). Not here: any other
// pattern.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/unicode.h"
#include "text/utf8.h"

namespace tenfold::text {

namespace gpt2 {

inline constexpr std::array<LetterClass, 128> kAscii = [] {
  std::array<LetterClass, 128> out{};
  for (size_t c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out[c] = letter                            ? LetterClass::letter
             : c >= '0' && c <= '9'            ? LetterClass::number
             : c == ' ' || (c >= 9 && c <= 13) ? LetterClass::space
                                               : LetterClass::other;
  }
  return out;
}();

struct Classed {
  LetterClass kind;
  uint32_t length;
};

inline Classed classed(std::string_view text, size_t at) {
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 128) return {kAscii[byte], 1};
  const CodePoint c = decode_utf8(text, at);
  return {letter_class(c.value), c.length};
}

/// The end of the run of `kind` that goes on at `at`.
inline size_t run_end(std::string_view text, size_t at, LetterClass kind) {
  while (at < text.size()) {
    const Classed next = classed(text, at);
    if (next.kind != kind) break;
    at += next.length;
  }
  return at;
}

/// Bytes of 's 't 'm 'd 're 've 'll at `at`, or 0.
inline size_t clitic(std::string_view text, size_t at) {
  if (at + 1 >= text.size()) return 0;
  const char a = text[at + 1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  const char b = at + 2 < text.size() ? text[at + 2] : '\0';
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

}  // namespace gpt2

/// Calls on_word(begin, end) for each match, which together cover the text. Bytes that are not
/// UTF-8 count as symbols. Linear in the text.
template <typename OnWord>
void split_gpt2(std::string_view text, OnWord&& on_word) {
  using namespace gpt2;
  const size_t size = text.size();
  for (size_t at = 0; at < size;) {
    const size_t begin = at;
    if (text[at] == '\'') {
      if (const size_t length = clitic(text, at)) {
        on_word(begin, at = begin + length);
        continue;
      }
    }
    Classed first = classed(text, at);
    if (text[at] == ' ' && at + 1 < size) {
      const Classed second = classed(text, at + 1);
      if (second.kind != LetterClass::space) {
        first = second;
        ++at;
      }
    }
    if (first.kind != LetterClass::space) {
      at = run_end(text, at + first.length, first.kind);
      on_word(begin, at);
      continue;
    }
    // Blanks: the last one before something else is left to that.
    size_t last = at, next = at + first.length;
    while (next < size) {
      const Classed c = classed(text, next);
      if (c.kind != LetterClass::space) break;
      last = next;
      next += c.length;
    }
    at = next == size || last == begin ? next : last;
    on_word(begin, at);
  }
}

}  // namespace tenfold::text

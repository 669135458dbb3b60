// A text as code points that know which bytes of the input they came from: what the general
// pipeline works on. Not here: the fast paths of BERT and byte-level BPE, which never build it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace tenfold::text {

struct MappedChar {
  uint32_t value;
  uint32_t begin, end;  // bytes of the input
};
using MappedChars = std::vector<MappedChar>;

/// A part of a MappedChars, by index.
struct CharRange {
  size_t first, last;
  bool operator==(const CharRange&) const = default;
};

/// Positions count from `origin`. Broken bytes become U+FFFD.
inline void decode_chars(std::string_view text, uint32_t origin, MappedChars& out) {
  out.clear();
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, at);
    const uint32_t begin = origin + static_cast<uint32_t>(at);
    out.push_back({c.value, begin, begin + c.length});
    at += c.length;
  }
}

/// The code points of UTF-8.
inline std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> out;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, at);
    out.push_back(c.value);
    at += c.length;
  }
  return out;
}

/// UTF-8 of a part, each byte with the input bytes of its character.
struct MappedBytes {
  std::string bytes;
  std::vector<uint32_t> begin, end;

  void assign(const MappedChars& chars, CharRange range) {
    bytes.clear();
    begin.clear();
    end.clear();
    for (size_t i = range.first; i < range.last; ++i) {
      append_utf8(chars[i].value, bytes);
      begin.resize(bytes.size(), chars[i].begin);
      end.resize(bytes.size(), chars[i].end);
    }
  }
};

}  // namespace tenfold::text

// Decoding and encoding single code points of UTF-8, with a fixed answer for every broken byte.
// Not here: anything about what a character means (unicode.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenfold::text {

inline constexpr uint32_t kReplacement = 0xFFFD;

struct CodePoint {
  uint32_t value;
  uint32_t length;  // bytes taken from the input, at least 1
  bool valid;
};

/// The code point that starts at text[at] (at < text.size()). Broken input gives U+FFFD for the
/// longest prefix of a legal sequence, at least one byte.
inline CodePoint decode_utf8(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint32_t lead = byte(at);
  if (lead < 0x80) return {lead, 1, true};
  if (lead < 0xC2 || lead > 0xF4) return {kReplacement, 1, false};
  const uint32_t need = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  uint32_t value = lead & (0x3Fu >> need);
  for (uint32_t k = 1; k <= need; ++k) {
    if (at + k >= text.size()) return {kReplacement, k, false};
    const uint32_t next = byte(at + k);
    uint32_t low = 0x80, high = 0xBF;
    if (k == 1) {  // overlong forms, surrogates and values past U+10FFFF end here
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    }
    if (next < low || next > high) return {kReplacement, k, false};
    value = value << 6 | (next & 0x3F);
  }
  return {value, need + 1, true};
}

/// Writes a code point (not a surrogate, at most U+10FFFF) to `out`, which has room for 4; returns
/// the bytes used.
inline uint32_t encode_utf8(uint32_t c, char* out) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x800) {
    out[0] = static_cast<char>(0xC0 | c >> 6);
    out[1] = tail(0);
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xE0 | c >> 12);
    out[1] = tail(6);
    out[2] = tail(0);
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | c >> 18);
  out[1] = tail(12);
  out[2] = tail(6);
  out[3] = tail(0);
  return 4;
}

/// How many code points a text holds; a broken sequence counts as the replacement characters it
/// becomes.
inline int64_t count_code_points(std::string_view text) {
  int64_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) i += decode_utf8(text, i).length;
  return count;
}

inline void append_utf8(uint32_t c, std::string& out) {
  char bytes[4];
  out.append(bytes, encode_utf8(c, bytes));
}

inline bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = decode_utf8(text, i);
    if (!c.valid) return false;
    i += c.length;
  }
  return true;
}

}  // namespace tenfold::text

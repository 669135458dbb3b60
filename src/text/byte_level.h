// Bytes as tokens: the alphabet of byte-level BPE, every byte as a visible character (Radford et
// al. 2019), so that vocabularies stay text, and the <0xE4> of byte fallback. Not here: cutting
// (gpt2_pattern.h, bpe.h).
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "text/utf8.h"

namespace tenfold::text {

/// The code point that stands for a byte: itself where it is visible in Latin-1, else U+0100 and on
/// in the order of the bytes.
inline const std::array<uint32_t, 256>& byte_characters() {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> out{};
    uint32_t next = 256;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      out[byte] = visible ? byte : next++;
    }
    return out;
  }();
  return table;
}

inline std::string byte_token(uint8_t byte) {
  std::string out;
  append_utf8(byte_characters()[byte], out);
  return out;
}

/// The token that spells a byte no other token covers: <0xE4>.
inline std::string fallback_token(uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

/// The bytes that a token of this alphabet stands for; nothing where a character is none of it.
inline std::optional<std::string> bytes_of_token(std::string_view token) {
  static const std::array<int16_t, 512> byte_of = [] {
    std::array<int16_t, 512> out;
    out.fill(-1);
    for (uint32_t byte = 0; byte < 256; ++byte)
      out[byte_characters()[byte]] = static_cast<int16_t>(byte);
    return out;
  }();
  std::string out;
  for (size_t at = 0; at < token.size();) {
    const CodePoint c = decode_utf8(token, at);
    if (!c.valid || c.value >= byte_of.size() || byte_of[c.value] < 0) return std::nullopt;
    out += static_cast<char>(byte_of[c.value]);
    at += c.length;
  }
  return out;
}

}  // namespace tenfold::text

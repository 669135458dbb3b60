// The walk over Darts-clone units: label in the low byte, offset in bits 10-30, bit 9 a longer
// offset, bit 8 a value below. Not here: building such maps (SentencePiece's trainer does).
#include "text/charsmap.h"

namespace tenfold::text {

std::optional<CharsMap> CharsMap::parse(std::string_view bytes) {
  CharsMap out;
  if (bytes.empty()) return out;
  const auto word = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i)
      value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << 8 * i;
    return value;
  };
  if (bytes.size() < 8) return std::nullopt;
  const size_t size = word(0);
  if (size < 4 || size % 4 != 0 || size > bytes.size() - 4) return std::nullopt;
  out.units_.reserve(size / 4);
  for (size_t at = 4; at < 4 + size; at += 4) out.units_.push_back(word(at));
  out.replacements_ = bytes.substr(4 + size);
  if (out.replacements_.empty() || out.replacements_.back() != '\0') out.replacements_ += '\0';
  return out;
}

template <typename OnMatch>
void CharsMap::walk(std::string_view text, OnMatch&& on_match) const {
  if (units_.empty()) return;
  const auto offset = [](uint32_t unit) { return (unit >> 10) << ((unit & 0x200) >> 6); };
  uint32_t at = offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    at ^= static_cast<uint8_t>(text[i]);
    if (at >= units_.size()) return;
    const uint32_t unit = units_[at];
    if ((unit & 0x800000FF) != static_cast<uint8_t>(text[i])) return;
    at ^= offset(unit);
    if (at >= units_.size()) return;
    if ((unit & 0x100) && !on_match(static_cast<uint32_t>(i + 1), units_[at] & 0x7FFFFFFF)) return;
  }
}

std::string_view CharsMap::replacement(uint32_t at) const {
  if (at >= replacements_.size()) return {};
  return std::string_view(replacements_.data() + at);
}

CharsMap::Match CharsMap::longest(std::string_view text) const {
  Match best;
  walk(text, [&](uint32_t length, uint32_t value) {
    best = {length, replacement(value)};
    return true;
  });
  return best;
}

CharsMap::Match CharsMap::shortest(std::string_view text) const {
  Match best;
  walk(text, [&](uint32_t length, uint32_t value) {
    best = {length, replacement(value)};
    return false;
  });
  return best;
}

}  // namespace tenfold::text

// SentencePiece's precompiled character map: a Darts double array of strings, each with its
// replacement. Not here: what surrounds it (normalizers.h, sentencepiece.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::text {

/// Immutable. Walks never leave the arrays, whatever the bytes it was made from.
class CharsMap {
 public:
  struct Match {
    uint32_t length = 0;           // bytes of the text; 0: none
    std::string_view replacement;  // lives as long as the map
  };

  CharsMap() = default;
  /// From a model's `precompiled_charsmap`: u32 size of the trie in bytes (little-endian), trie,
  /// replacements that end in NUL. Nothing for bytes that are not that; an empty string is an empty
  /// map.
  static std::optional<CharsMap> parse(std::string_view bytes);

  Match longest(std::string_view text) const;
  Match shortest(std::string_view text) const;

 private:
  template <typename OnMatch>
  void walk(std::string_view text, OnMatch&& on_match) const;
  std::string_view replacement(uint32_t at) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace tenfold::text

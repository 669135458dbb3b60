// A piece of a text, as every engine hands it on.
// Not here: how it is found.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenfold::text {

/// Stands for a blank in the pieces of SentencePiece's kind.
inline constexpr std::string_view kWordMark = "\xE2\x96\x81";

struct CutPiece {
  int32_t id;
  uint32_t begin, end;  // bytes of the input
  bool special;
};

}  // namespace tenfold::text

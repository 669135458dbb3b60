// A piece of a text, as every engine hands it on.
// Not here: how it is found.
#pragma once

#include <cstdint>

namespace tenfold::text {

struct CutPiece {
  int32_t id;
  uint32_t begin, end;  // bytes of the input
  bool special;
};

}  // namespace tenfold::text

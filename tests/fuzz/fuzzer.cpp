// libFuzzer's door to a target.
// Not here: any judgement.
#include <cstddef>
#include <cstdint>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tenfold::fuzz::accepts({reinterpret_cast<const char*>(data), size});
  return 0;
}

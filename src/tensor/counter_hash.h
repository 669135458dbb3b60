// The counter-based hash behind dropout: 32 bits from a 64-bit key and a column, cheap enough for
// every element. Not here: who uses it (dropout.cpp and the kernels that fuse dropout), or other
// random numbers (support/rng.h).
#pragma once

#include <cstdint>

#include "support/rng.h"

namespace tenfold {

/// Two halves of a row's key at one site. The second enters between the rounds, so that streams of
/// different keys are not shifted copies of each other.
struct HashKey {
  uint32_t first, second;
  static constexpr HashKey of(uint64_t row_key, uint64_t site) {
    const uint64_t mixed = combine_keys(row_key, site);
    return {static_cast<uint32_t>(mixed), static_cast<uint32_t>(mixed >> 32)};
  }
};

__attribute__((always_inline)) constexpr uint32_t hash_bits(uint32_t first, uint32_t second,
                                                            uint32_t column) {
  uint32_t x = column * 0x9E3779B9U + first;
  x = (x ^ (x >> 16)) * 0x7FEB352DU;
  x ^= second;
  x = (x ^ (x >> 15)) * 0x846CA68BU;
  return x ^ (x >> 16);
}

/// An element is kept where its bits are at or above this.
inline uint32_t drop_threshold(double p) { return static_cast<uint32_t>(p * 4294967296.0); }

}  // namespace tenfold

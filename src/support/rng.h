// Random numbers without state to lose: a stream is a pure function of (seed, purpose, indices).
// Not here: distributions over tensors, or any global generator.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace tenfold {

/// Mixes 64 bits so that every output bit depends on every input bit (the finaliser of SplitMix64).
constexpr uint64_t mix_bits(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Combines a key with one more number, in order: combine(combine(k, a), b) != combine(combine(k,
/// b), a).
constexpr uint64_t combine_keys(uint64_t key, uint64_t value) {
  return mix_bits(key ^ mix_bits(value));
}

/// 64-bit FNV-1a of a purpose's name, mixed.
constexpr uint64_t key_of_name(std::string_view name) {
  uint64_t h = 0xCBF29CE484222325ULL;
  for (char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix_bits(h);
}

/// A named stream of random numbers. Two streams of equal arguments give equal numbers, on every
/// machine, rank and thread; streams that differ in any argument are independent. Not thread-safe;
/// cheap to make.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view purpose, uint64_t index = 0, uint64_t sub_index = 0)
      : key_(combine_keys(combine_keys(combine_keys(mix_bits(seed), key_of_name(purpose)), index),
                          sub_index)) {}

  uint64_t next() { return mix_bits(key_ ^ mix_bits(++count_)); }

  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// Uniform in 0 .. n-1 without bias; n > 0.
  uint64_t below(uint64_t n) {
    const uint64_t limit = n * (UINT64_MAX / n);
    uint64_t x = next();
    while (x >= limit) x = next();
    return x % n;
  }

  /// Fisher-Yates over any random-access container.
  template <typename Container>
  void shuffle(Container& items) {
    for (uint64_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[below(i)]);
    }
  }

 private:
  uint64_t key_;
  uint64_t count_ = 0;
};

}  // namespace tenfold

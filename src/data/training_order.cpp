// The permutation.
// Not here: randomness about examples themselves.
#include "data/training_order.h"

#include "support/rng.h"

namespace tenfold::data {
namespace {
constexpr uint64_t kRounds = 6;
}

TrainingOrder::TrainingOrder(int64_t size, uint64_t seed, int64_t epoch)
    : size_(size),
      key_(combine_keys(combine_keys(mix_bits(seed), key_of_name("training-order")),
                        static_cast<uint64_t>(epoch))) {
  while ((1LL << (2 * half_bits_)) < size_) ++half_bits_;
}

int64_t TrainingOrder::at(int64_t place) const {
  const uint64_t mask = (1ULL << half_bits_) - 1;
  auto x = static_cast<uint64_t>(place);
  do {
    uint64_t left = x >> half_bits_, right = x & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const uint64_t mixed = left ^ (combine_keys(key_ + round, right) & mask);
      left = right;
      right = mixed;
    }
    x = left << half_bits_ | right;
  } while (x >= static_cast<uint64_t>(size_));
  return static_cast<int64_t>(x);
}

}  // namespace tenfold::data

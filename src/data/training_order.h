// The order of an epoch as a function: example k of epoch e without storing or shuffling a list.
// Not here: batches.
#pragma once

#include <cstdint>

namespace tenfold::data {

/// A permutation of 0 .. size - 1, another one for each (seed, epoch): a Feistel network over the
/// next power of four, walked until it lands inside. at() is O(1) on average.
class TrainingOrder {
 public:
  TrainingOrder(int64_t size, uint64_t seed, int64_t epoch);
  int64_t at(int64_t place) const;
  int64_t size() const { return size_; }

 private:
  int64_t size_;
  uint64_t key_;
  int half_bits_ = 1;
};

}  // namespace tenfold::data

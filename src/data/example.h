// One example after tokenisation: named ragged sequences, labels, a weight and a stable number.
// Not here: batching (batch.h) or text (readers.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tenfold::data {

/// `id` is the example's number in its data set, the same for every worker, rank and epoch: all
/// randomness about an example hangs on it. Usual sequence names: "tokens", "segments".
struct Example {
  uint64_t id = 0;
  std::map<std::string, std::vector<int32_t>, std::less<>> sequences;
  std::vector<double> labels;  ///< class index, or scores; empty without labels
  double weight = 1.0;
};

}  // namespace tenfold::data

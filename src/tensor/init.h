// Fresh weights: normal numbers that depend on the seed, the parameter's purpose and the element
// alone. Not here: which parameters get them (the modules).
#pragma once

#include <cstdint>

#include "tensor/torch.h"

namespace tenfold {

enum class Tails : uint8_t { full, cut_at_two };  ///< cut_at_two: |x| <= 2 deviations, by rejection

/// A new tensor of N(0, deviation^2): element i is a pure function of (key, i), so thread count,
/// device and dtype change nothing but rounding.
Tensor normal_tensor(at::IntArrayRef shape, double deviation, Tails tails, uint64_t key,
                     torch::TensorOptions options);

/// While one lives on a thread, normal_tensor there gives memory as it comes: for modules whose
/// weights are about to be loaded.
class UninitialisedWeights {
 public:
  explicit UninitialisedWeights(bool active = true);
  ~UninitialisedWeights();
  UninitialisedWeights(const UninitialisedWeights&) = delete;
  UninitialisedWeights& operator=(const UninitialisedWeights&) = delete;

 private:
  bool before_;
};

}  // namespace tenfold

// Something made from weights, kept until one of them changes.
// Not here: what is made (exp_table.h, synthesizer_attention.cpp).
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "nn/weight_stamp.h"
#include "tensor/torch.h"

namespace tenfold::synthesizer {

/// The last one made, for one number format. Thread-safe.
template <typename T>
class Kept {
 public:
  /// What is kept, or make() where there is none for these weights as they are.
  template <typename Make>
  std::shared_ptr<const T> get(const std::vector<Tensor>& sources, at::ScalarType type,
                               Make make) const {
    const std::lock_guard lock(mutex_);
    if (!held_ || type_ != type || !stamp_.current()) {
      held_ = std::make_shared<const T>(make());
      type_ = type;
      stamp_ = nn::WeightStamp(sources);
    }
    return held_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const T> held_;
  mutable at::ScalarType type_ = at::kFloat;
  mutable nn::WeightStamp stamp_;
};

}  // namespace tenfold::synthesizer

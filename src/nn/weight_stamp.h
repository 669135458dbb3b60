// Remembers the state of weights that something was made from.
// Not here: what was made (packing.h, narrow_weight.h).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/torch.h"

namespace tenfold::nn {

/// Notices when an optimiser, a load or a move to another device has changed tensors since.
class WeightStamp {
 public:
  WeightStamp() = default;
  explicit WeightStamp(std::vector<Tensor> sources) : sources_(std::move(sources)) {
    for (const Tensor& t : sources_) marks_.emplace_back(t.const_data_ptr(), t._version());
  }

  bool current() const {
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].const_data_ptr() != marks_[i].first ||
          sources_[i]._version() != marks_[i].second)
        return false;
    }
    return !sources_.empty();
  }

 private:
  std::vector<Tensor> sources_;
  std::vector<std::pair<const void*, uint32_t>> marks_;
};

}  // namespace tenfold::nn

// The feature maps of linear attention, by operators and on tiles.
// Not here: which one a model uses (linear_attention.h).
#pragma once

#include <memory>

#include "methods/linear_attention/linear_attention.h"

namespace tenfold::linear_attention {

/// Of heads of `head_size` numbers.
std::shared_ptr<const nn::FeatureMap> make_map(const Options& options, int64_t head_size);

}  // namespace tenfold::linear_attention

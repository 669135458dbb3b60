// Random features as other programs stabilise them, for comparisons and for weights trained there.
// Not here: the exact form (performer_map.h).
#pragma once

#include "nn/feature_attention.h"

namespace tenfold::performer {

/// exp(u - |x^|^2 / 2 - max u) + epsilon, the largest product taken over a query's features, and
/// over all features and keys of a sequence; causal sums of keys begin at 1e-6. Depends on keys a
/// query does not see, by design of those programs.
nn::DividedFeatures compatible_features(const Tensor& query_THE, const Tensor& key_SHE,
                                        const Tensor& projection_MD, double epsilon,
                                        const nn::FeaturePlan& plan);

}  // namespace tenfold::performer

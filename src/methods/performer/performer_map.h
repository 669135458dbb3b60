// Random features: products with random directions through an exponential (or a ReLU).
// Not here: drawing the directions (random_projection.h), sums over keys (nn/feature_scan.h).
#pragma once

#include <memory>

#include "nn/feature_map.h"

namespace tenfold::performer {

/// What products with the directions become; x^ is the row times D^(-1/4), u = W x^.
enum class Kernel : uint8_t {
  hyperbolic,     ///< exp(u - |x^|^2 / 2) and exp(-u - |x^|^2 / 2): two features a direction
  positive,       ///< exp(u - |x^|^2 / 2)
  relu,           ///< max(u, 0) + epsilon, no estimate of softmax
  trigonometric,  ///< exp(|x^|^2 / 2) (sin u, cos u): may be negative, for comparison
};

/// Features a direction gives.
constexpr int64_t features_of_direction(Kernel kernel) {
  return kernel == Kernel::hyperbolic || kernel == Kernel::trigonometric ? 2 : 1;
}

/// The map of directions [m, D]. Queries lose factors of their whole row, which cancel; keys have
/// the largest exponent as their offset, so that features lie between 0 and 1 whatever the norms.
std::shared_ptr<const nn::FeatureMap> make_map(Kernel kernel, const Tensor& projection_MD,
                                               double epsilon);

}  // namespace tenfold::performer

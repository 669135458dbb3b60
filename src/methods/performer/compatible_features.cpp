// The epsilon form of FAVOR+, by operators.
// Not here: sums over keys (nn/feature_scan.h).
#include "methods/performer/compatible_features.h"

#include <cmath>

namespace tenfold::performer {
namespace {

/// What the other program adds to every entry of the running sum of keys.
constexpr double kKeySumOffset = 1e-6;

}  // namespace

nn::DividedFeatures compatible_features(const Tensor& query_THE, const Tensor& key_SHE,
                                        const Tensor& projection_MD, double epsilon,
                                        const nn::FeaturePlan& plan) {
  const double width = static_cast<double>(projection_MD.size(1));
  const Tensor scaled =
      (projection_MD.to(torch::kDouble) * std::pow(width, -0.25)).to(query_THE.scalar_type());
  const auto products = [&](const Tensor& x) { return at::matmul(x, scaled.transpose(0, 1)); };
  const auto half = [&](const Tensor& x) {
    return (x * x).sum(-1, true) * (0.5 / std::sqrt(width));
  };
  const Tensor query = products(query_THE), key = products(key_SHE);
  Tensor top = torch::zeros({key.size(0), key.size(1), 1}, key.options());
  const torch::NoGradGuard no_grad_for_top;
  bool causal = false;
  for (const nn::AttentionSequence& s : plan.sequences) {
    causal = causal || s.kind == See::past;
    if (s.keys == 0) continue;
    top.narrow(0, s.key_begin, s.keys)
        .copy_(key.detach().narrow(0, s.key_begin, s.keys).amax({0, 2}, true));
  }
  const torch::AutoGradMode with_grad(true);
  nn::DividedFeatures out{(query - half(query_THE) - query.detach().amax(-1, true)).exp() + epsilon,
                          (key - half(key_SHE) - top).exp() + epsilon, plan};
  out.plan.map = nn::given_features(projection_MD.size(0));
  // Features here lack the factor m^(-1/2), which cancels but for this number.
  if (causal)
    out.plan.key_sum_offset = kKeySumOffset * std::sqrt(static_cast<double>(projection_MD.size(0)));
  return out;
}

}  // namespace tenfold::performer

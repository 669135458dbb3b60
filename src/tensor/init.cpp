// Box-Muller over counters, in parallel.
// Not here: other distributions.
#include "tensor/init.h"

#include <cmath>

#include "support/rng.h"

namespace tenfold {
namespace {

float normal_element(uint64_t key, uint64_t element, Tails tails) {
  for (uint64_t attempt = 0;; ++attempt) {
    const uint64_t bits =
        mix_bits(mix_bits(key + attempt * 0xD1B54A32D192ED03ULL) ^ mix_bits(element));
    const float u = (static_cast<float>(bits >> 40) + 0.5F) * 0x1.0p-24F;
    const float angle = static_cast<float>(bits & 0xFFFFFF) * (6.28318530718F * 0x1.0p-24F);
    const float z = std::sqrt(-2.0F * std::log(u)) * std::cos(angle);
    if (tails == Tails::full || std::fabs(z) <= 2.0F) return z;
  }
}

thread_local bool uninitialised = false;

}  // namespace

UninitialisedWeights::UninitialisedWeights(bool active) : before_(uninitialised) {
  uninitialised = before_ || active;
}

UninitialisedWeights::~UninitialisedWeights() { uninitialised = before_; }

Tensor normal_tensor(at::IntArrayRef shape, double deviation, Tails tails, uint64_t key,
                     torch::TensorOptions options) {
  if (uninitialised) return torch::empty(shape, options);
  Tensor result = torch::empty(shape, torch::kFloat32);
  auto* out = result.mutable_data_ptr<float>();
  const auto scale = static_cast<float>(deviation);
  at::parallel_for(0, result.numel(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      out[i] = scale * normal_element(key, static_cast<uint64_t>(i), tails);
  });
  return result.to(options.device(), c10::typeMetaToScalarType(options.dtype()));
}

}  // namespace tenfold

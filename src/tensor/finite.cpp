// One sweep over the exponents.
// Not here: other checks.
#include "tensor/finite.h"

#include <atomic>
#include <cstdint>
#include <cstring>

#include "tensor/vector_clones.h"

namespace tenfold {
namespace {

TENFOLD_VECTOR_CLONES bool any_special(const float* x, int64_t count) {
  constexpr uint32_t kExponent = 0x7F800000U;
  uint32_t found = 0;
#pragma omp simd reduction(| : found)
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof bits);
    found |= (bits & kExponent) == kExponent ? 1U : 0U;
  }
  return found != 0;
}

}  // namespace

bool all_finite(const Tensor& x) {
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat || !x.is_contiguous())
    return at::isfinite(x).all().item<bool>();
  const float* values = x.const_data_ptr<float>();
  std::atomic<bool> special = false;
  at::parallel_for(0, x.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    if (any_special(values + begin, end - begin)) special = true;
  });
  return !special;
}

}  // namespace tenfold

// Loads and stores of kernels that compute in fp32 or fp64 on tensors that may hold bfloat16.
// Not here: conversions of whole tensors, which are libtorch's.
#pragma once

#include <cstdint>
#include <cstring>

#include "tensor/torch.h"
#include "tensor/vector_clones.h"

namespace tenfold {

/// What a kernel computes in for tensors of a type: double for double, else float.
template <typename store_t>
struct ComputeType {
  using type = float;
};
template <>
struct ComputeType<double> {
  using type = double;
};
template <typename store_t>
using compute_t = typename ComputeType<store_t>::type;

__attribute__((always_inline)) inline float widen(float x) { return x; }
__attribute__((always_inline)) inline double widen(double x) { return x; }
__attribute__((always_inline)) inline float widen(c10::BFloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.x) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

__attribute__((always_inline)) inline void store(float& to, float x) { to = x; }
__attribute__((always_inline)) inline void store(double& to, double x) { to = x; }
/// Rounds to the nearest, ties to even; NaN stays NaN. Without branches, so that loops become
/// vector code.
__attribute__((always_inline)) inline void store(c10::BFloat16& to, float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  to.x = static_cast<uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? 0x7FC0U : rounded);
}

/// Whole rows.
template <typename from_t, typename to_t>
TENFOLD_VECTOR_CLONES void widen_row(const from_t* from, to_t* to, int64_t count) {
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) to[j] = widen(from[j]);
}

template <typename from_t, typename to_t>
TENFOLD_VECTOR_CLONES void store_row(const from_t* from, to_t* to, int64_t count) {
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) store(to[j], from[j]);
}

}  // namespace tenfold

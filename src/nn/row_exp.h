// The exponential of loops over rows, which compilers turn into vector code.
// Not here: the loops.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace tenfold::nn {

/// e^x for x <= 0, within 2 units of the last place; below -87 it is 0.
__attribute__((always_inline)) inline float row_exp(float x) {
  const float clamped = x < -87.0F ? -87.0F : x;
  const float n = std::floor(clamped * 1.44269504F + 0.5F);
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return x < -87.0F ? 0.0F : p * power;
}
__attribute__((always_inline)) inline double row_exp(double x) { return std::exp(x); }

}  // namespace tenfold::nn

// The functions of dropout as CUDA C++.
// Not here: their CPU form (counter_hash.h, support/rng.h), gradients (dropout.cpp).
#include "tensor/cuda_dropout.h"

#include "tensor/counter_hash.h"
#include "tensor/cuda_elementwise.h"

namespace tenfold {
namespace {

// What follows says for CUDA what mix_bits and hash_bits say for the CPU.
constexpr const char* kCudaHash = R"(
  unsigned long long tenfold_mix(unsigned long long x) {
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
  }
  bool tenfold_kept(unsigned long long row_key, unsigned column, long long mixed_site,
                    long long threshold) {
    const unsigned long long key = tenfold_mix(row_key ^ (unsigned long long)mixed_site);
    unsigned x = column * 0x9E3779B9u + (unsigned)key;
    x = (x ^ (x >> 16)) * 0x7FEB352Du;
    x ^= (unsigned)(key >> 32);
    x = (x ^ (x >> 15)) * 0x846CA68Bu;
    return (x ^ (x >> 16)) >= (unsigned)threshold;
  }
)";

/// Numbers that are no floats travel as floats of the same bits: inputs of one type need no casts.
const CudaElementwise& cuda_dropout_float() {
  static const CudaElementwise function{"tenfold_dropout_float", std::string(kCudaHash) + R"(
  template <typename T>
  T tenfold_dropout_float(T x, T key_low, T key_high, T column, long long mixed_site,
                          long long threshold, double scale) {
    const unsigned long long key =
        (unsigned long long)__float_as_uint(key_high) << 32 | __float_as_uint(key_low);
    return tenfold_kept(key, __float_as_uint(column), mixed_site, threshold) ? x * T(scale) : T(0);
  }
)"};
  return function;
}

const CudaElementwise& cuda_dropout_double() {
  static const CudaElementwise function{"tenfold_dropout_double", std::string(kCudaHash) + R"(
  template <typename T>
  T tenfold_dropout_double(T x, T key, T column, long long mixed_site, long long threshold,
                           double scale) {
    return tenfold_kept(__double_as_longlong(key), (unsigned)__double_as_longlong(column),
                        mixed_site, threshold) ? x * scale : T(0);
  }
)"};
  return function;
}

const CudaElementwise& cuda_combined_keys() {
  static const CudaElementwise function{"tenfold_combined_keys", std::string(kCudaHash) + R"(
  template <typename T> T tenfold_combined_keys(T key, T value) {
    return (T)tenfold_mix((unsigned long long)key ^ tenfold_mix((unsigned long long)value));
  }
)"};
  return function;
}

}  // namespace

Tensor dropped_on_cuda(const Tensor& x, const Tensor& keys, const Tensor& columns, uint64_t site,
                       double p) {
  const c10::SmallVector<at::Scalar> scalars{static_cast<int64_t>(mix_bits(site)),
                                             static_cast<int64_t>(drop_threshold(p)),
                                             1.0 / (1.0 - p)};
  const Tensor key = keys.contiguous();
  if (x.scalar_type() == at::kDouble) {
    return run_elementwise(cuda_dropout_double(),
                           {x, key.view(at::kDouble), columns.contiguous().view(at::kDouble)},
                           scalars);
  }
  const Tensor halves = key.view(at::kFloat);
  const int64_t both = halves.size(-1);
  return run_elementwise(cuda_dropout_float(),
                         {x, halves.slice(-1, 0, both, 2), halves.slice(-1, 1, both, 2),
                          columns.to(at::kInt).view(at::kFloat)},
                         scalars)
      .to(x.scalar_type());
}

Tensor combined_on_cuda(const Tensor& keys, const Tensor& values) {
  return run_elementwise(cuda_combined_keys(), {keys, values}, {});
}

}  // namespace tenfold

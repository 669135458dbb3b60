// Row keys and counter-based dropout: fused kernels for the CPU and for CUDA that keep no mask, and
// the same bits by operators elsewhere. Not here: dropout fused into other kernels (nn), which use
// the same hash.
#include "support/fail.h"
#include "tensor/counter_hash.h"
#include "tensor/cuda_elementwise.h"
#include "tensor/pass.h"
#include "tensor/vector_clones.h"

namespace tenfold {
namespace {

template <typename scalar_t>
TENFOLD_VECTOR_CLONES void dropout_row(const scalar_t* x, scalar_t* y, uint32_t width, HashKey key,
                                       uint32_t threshold, scalar_t scale) {
  for (uint32_t d = 0; d < width; ++d) {
    y[d] = hash_bits(key.first, key.second, d) >= threshold ? x[d] * scale : scalar_t(0);
  }
}

template <typename scalar_t>
void dropout_all_rows(const Tensor& x, const Tensor& keys_T, Tensor& y, uint64_t site, double p) {
  const int64_t rows = x.size(0), width = x.size(1);
  const auto* from = x.const_data_ptr<scalar_t>();
  auto* to = y.mutable_data_ptr<scalar_t>();
  const auto* keys = keys_T.const_data_ptr<int64_t>();
  at::parallel_for(0, rows, 1 + 32768 / (width + 1), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      dropout_row(from + t * width, to + t * width, static_cast<uint32_t>(width),
                  HashKey::of(static_cast<uint64_t>(keys[t]), site), drop_threshold(p),
                  static_cast<scalar_t>(1.0 / (1.0 - p)));
    }
  });
}

Tensor shifted_right(const Tensor& x, int64_t bits) {
  return x.bitwise_right_shift(bits).bitwise_and((int64_t{1} << (64 - bits)) - 1);
}

/// mix_bits of every element: int64 wraps around as uint64 does.
Tensor mixed(const Tensor& keys) {
  Tensor x = keys + static_cast<int64_t>(0x9E3779B97F4A7C15ULL);
  x = x.bitwise_xor(shifted_right(x, 30)) * static_cast<int64_t>(0xBF58476D1CE4E5B9ULL);
  x = x.bitwise_xor(shifted_right(x, 27)) * static_cast<int64_t>(0x94D049BB133111EBULL);
  return x.bitwise_xor(shifted_right(x, 31));
}

/// hash_bits of every element at or above the threshold.
Tensor kept_elements(const Tensor& keys, const Tensor& columns, uint64_t site, double p) {
  constexpr int64_t kLow = 0xFFFFFFFF;
  const Tensor key = mixed(keys.bitwise_xor(static_cast<int64_t>(mix_bits(site))));
  Tensor x = (columns * 0x9E3779B9LL + key.bitwise_and(kLow)).bitwise_and(kLow);
  x = (x.bitwise_xor(x.bitwise_right_shift(16)) * 0x7FEB352DLL).bitwise_and(kLow);
  x = x.bitwise_xor(shifted_right(key, 32));
  x = (x.bitwise_xor(x.bitwise_right_shift(15)) * 0x846CA68BLL).bitwise_and(kLow);
  x = x.bitwise_xor(x.bitwise_right_shift(16));
  return x.ge(static_cast<int64_t>(drop_threshold(p)));
}

bool has_kernel(const Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

Tensor apply_dropout(const Tensor& x, const Tensor& keys_T, uint64_t site, double p) {
  const Tensor from = x.contiguous();
  Tensor y = torch::empty_like(from);
  if (x.scalar_type() == at::kFloat) {
    dropout_all_rows<float>(from, keys_T, y, site, p);
  } else {
    dropout_all_rows<double>(from, keys_T, y, site, p);
  }
  return y;
}

struct DropoutRows : torch::autograd::Function<DropoutRows> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x,
                        const Tensor& keys_T, int64_t site, double p) {
    RECORD_FUNCTION("tenfold::dropout", std::vector<c10::IValue>());
    ctx->save_for_backward({keys_T});
    ctx->saved_data["site"] = site;
    ctx->saved_data["p"] = p;
    return apply_dropout(x, keys_T, static_cast<uint64_t>(site), p);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto site = static_cast<uint64_t>(ctx->saved_data["site"].toInt());
    return {apply_dropout(gradients[0], ctx->get_saved_variables()[0], site,
                          ctx->saved_data["p"].toDouble()),
            {},
            {},
            {}};
  }
};

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

struct DropoutOnCuda : torch::autograd::Function<DropoutOnCuda> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& keys,
                        const Tensor& columns, int64_t site, double p) {
    ctx->save_for_backward({keys, columns});
    ctx->saved_data["site"] = site;
    ctx->saved_data["p"] = p;
    return dropped_on_cuda(x, keys, columns, static_cast<uint64_t>(site), p);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const auto site = static_cast<uint64_t>(ctx->saved_data["site"].toInt());
    return {
        dropped_on_cuda(gradients[0], saved[0], saved[1], site, ctx->saved_data["p"].toDouble()),
        {},
        {},
        {},
        {}};
  }
};

const CudaElementwise& cuda_combined_keys() {
  static const CudaElementwise function{"tenfold_combined_keys", std::string(kCudaHash) + R"(
  template <typename T> T tenfold_combined_keys(T key, T value) {
    return (T)tenfold_mix((unsigned long long)key ^ tenfold_mix((unsigned long long)value));
  }
)"};
  return function;
}

}  // namespace

Tensor row_keys(const PassContext& pass, const SequenceLayout& layout) {
  require(static_cast<int64_t>(pass.example_keys.size()) == layout.count(), ErrorKind::shape,
          "dropout", "expected an example key for each of {} sequences, got {}", layout.count(),
          pass.example_keys.size());
  Tensor keys_T = torch::empty({layout.total()}, torch::kInt64);
  auto* out = keys_T.mutable_data_ptr<int64_t>();
  for (int64_t b = 0; b < layout.count(); ++b) {
    const uint64_t example = combine_keys(pass.key, pass.example_keys[static_cast<size_t>(b)]);
    for (int64_t i = 0; i < layout.length(b); ++i) {
      *out++ = static_cast<int64_t>(combine_keys(example, static_cast<uint64_t>(i)));
    }
  }
  return keys_T;
}

Tensor dropout_rows(const Tensor& x_TD, const Tensor& row_keys_T, uint64_t site, double p) {
  require(p >= 0.0 && p < 1.0, ErrorKind::config, "dropout",
          "expected a probability in [0, 1), got {}", p);
  if (p == 0.0) return x_TD;
  require(x_TD.dim() == 2 && row_keys_T.dim() == 1 && row_keys_T.size(0) == x_TD.size(0),
          ErrorKind::shape, "dropout", "expected rows [T, D] and T keys");
  if (has_kernel(x_TD)) return DropoutRows::apply(x_TD, row_keys_T, static_cast<int64_t>(site), p);
  return drop_elements(x_TD, row_keys_T.unsqueeze(1),
                       torch::arange(x_TD.size(1), row_keys_T.options()), site, p);
}

Tensor drop_elements(const Tensor& x, const Tensor& keys, const Tensor& columns, uint64_t site,
                     double p) {
  if (compiles_elementwise(x)) {
    return DropoutOnCuda::apply(x, keys, columns, static_cast<int64_t>(site), p);
  }
  return torch::where(kept_elements(keys, columns, site, p), x * (1.0 / (1.0 - p)),
                      torch::zeros({}, x.options().requires_grad(false)));
}

Tensor combined_keys(const Tensor& keys, const Tensor& values) {
  if (compiles_elementwise(keys)) return run_elementwise(cuda_combined_keys(), {keys, values}, {});
  return mixed(keys.bitwise_xor(mixed(values)));
}

}  // namespace tenfold

// Row keys and counter-based dropout: a fused CPU kernel that keeps no mask, and the same bits by
// operators elsewhere. Not here: the kernel of CUDA (cuda_dropout.cpp), or dropout fused into other
// kernels (nn), which use the same hash.
#include "support/fail.h"
#include "tensor/counter_hash.h"
#include "tensor/cuda_dropout.h"
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
  if (compiles_elementwise(keys)) return combined_on_cuda(keys, values);
  return mixed(keys.bitwise_xor(mixed(values)));
}

}  // namespace tenfold

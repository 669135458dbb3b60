// LayerNorm of residual + dropout(x): one CPU pass forward, one backward, the mask recomputed from
// its keys. Not here: other norms.
#include "nn/layer_norm.h"

#include <cmath>
#include <type_traits>
#include <vector>

#include "support/fail.h"
#include "tensor/counter_hash.h"
#include "tensor/narrow.h"
#include "tensor/pass.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {
namespace {

struct RowDropout {
  bool active;
  HashKey key;
  uint32_t threshold;
};

/// z = residual + dropout(x), y = (z - mean) * inverse deviation * weight + bias; statistics go to
/// stats[0..1].
template <typename store_t, typename real_t>
TENFOLD_VECTOR_CLONES void norm_row_forward(const store_t* x, const store_t* residual,
                                            const real_t* weight, const real_t* bias, real_t* z,
                                            store_t* y, real_t* stats, uint32_t width,
                                            real_t epsilon, real_t scale, const RowDropout& drop) {
  const uint32_t first = drop.key.first, second = drop.key.second, threshold = drop.threshold;
  if (drop.active) {
#pragma omp simd
    for (uint32_t d = 0; d < width; ++d) {
      z[d] = widen(residual[d]) +
             (hash_bits(first, second, d) >= threshold ? widen(x[d]) * scale : real_t(0));
    }
  } else {
#pragma omp simd
    for (uint32_t d = 0; d < width; ++d) z[d] = widen(residual[d]) + widen(x[d]);
  }
  real_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint32_t d = 0; d < width; ++d) sum += z[d];
  const real_t mean = sum / static_cast<real_t>(width);
  real_t squares = 0;
#pragma omp simd reduction(+ : squares)
  for (uint32_t d = 0; d < width; ++d) squares += (z[d] - mean) * (z[d] - mean);
  const real_t inverse = real_t(1) / std::sqrt(squares / static_cast<real_t>(width) + epsilon);
#pragma omp simd
  for (uint32_t d = 0; d < width; ++d) store(y[d], (z[d] - mean) * inverse * weight[d] + bias[d]);
  stats[0] = mean;
  stats[1] = inverse;
}

/// Gradients of one row; those of weight and bias are added to what is there.
template <typename store_t, typename real_t>
TENFOLD_VECTOR_CLONES void norm_row_backward(const store_t* dy, const store_t* z,
                                             const real_t* weight, const real_t* stats, store_t* dx,
                                             store_t* dresidual, real_t* dweight, real_t* dbias,
                                             uint32_t width, real_t scale, const RowDropout& drop) {
  const real_t mean = stats[0], inverse = stats[1];
  real_t sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
  for (uint32_t d = 0; d < width; ++d) {
    const real_t slope = widen(dy[d]);
    const real_t hat = (widen(z[d]) - mean) * inverse, g = slope * weight[d];
    sum += g;
    product += g * hat;
    dweight[d] += slope * hat;
    dbias[d] += slope;
  }
  sum /= static_cast<real_t>(width);
  product /= static_cast<real_t>(width);
  const uint32_t first = drop.key.first, second = drop.key.second, threshold = drop.threshold;
  if (!drop.active) {
#pragma omp simd
    for (uint32_t d = 0; d < width; ++d) {
      const real_t hat = (widen(z[d]) - mean) * inverse;
      store(dresidual[d], (widen(dy[d]) * weight[d] - sum - hat * product) * inverse);
    }
    return;
  }
#pragma omp simd
  for (uint32_t d = 0; d < width; ++d) {
    const real_t hat = (widen(z[d]) - mean) * inverse;
    const real_t slope = (widen(dy[d]) * weight[d] - sum - hat * product) * inverse;
    store(dresidual[d], slope);
    store(dx[d], hash_bits(first, second, d) >= threshold ? slope * scale : real_t(0));
  }
}

/// Rows a thread works on in one go; also the rows behind one partial sum of the weight's gradient.
constexpr int64_t kNormRows = 64;

struct NormSettings {
  double epsilon, p;
  uint64_t site;
  const int64_t* keys;
  RowDropout row(int64_t t) const {
    if (p == 0.0) return {false, {0, 0}, 0};
    return {true, HashKey::of(static_cast<uint64_t>(keys[t]), site), drop_threshold(p)};
  }
};

/// Calls a kernel with a value of x's element type: float, double or bfloat16.
template <typename Kernel>
void with_element(const Tensor& x, Kernel kernel) {
  switch (x.scalar_type()) {
    case at::kFloat: return kernel(float{});
    case at::kDouble: return kernel(double{});
    default: return kernel(c10::BFloat16{});
  }
}

/// What the norm computes in: double for double, else fp32; weight and bias must have it.
at::ScalarType norm_type(const Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

struct NormForward {
  Tensor z, y, stats;  ///< z is empty where it is not kept
};

template <typename store_t>
void norm_forward(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                  NormForward& out, const NormSettings& set) {
  using real_t = compute_t<store_t>;
  constexpr bool kSame = std::is_same_v<store_t, real_t>;
  const int64_t rows = x.size(0), width = x.size(1);
  const auto *from = x.const_data_ptr<store_t>(), *beside = residual.const_data_ptr<store_t>();
  const auto *w = weight.const_data_ptr<real_t>(), *b = bias.const_data_ptr<real_t>();
  auto *kept = out.z.mutable_data_ptr<store_t>(), *to = out.y.mutable_data_ptr<store_t>();
  auto* statistics = out.stats.mutable_data_ptr<real_t>();
  const bool keep_sum = out.z.size(0) == rows;
  at::parallel_for(0, rows, kNormRows, [&](int64_t begin, int64_t end) {
    std::vector<real_t> wide(kSame ? 0 : static_cast<size_t>(width));
    for (int64_t t = begin; t < end; ++t) {
      const int64_t at = t * width;
      real_t* z_row = wide.data();
      if constexpr (kSame) z_row = keep_sum ? kept + at : to + at;
      norm_row_forward(from + at, beside + at, w, b, z_row, to + at, statistics + 2 * t,
                       static_cast<uint32_t>(width), static_cast<real_t>(set.epsilon),
                       static_cast<real_t>(1.0 / (1.0 - set.p)), set.row(t));
      if (!kSame && keep_sum) store_row(z_row, kept + at, static_cast<uint32_t>(width));
    }
  });
}

template <typename store_t>
void norm_backward(const Tensor& dy, const Tensor& z, const Tensor& weight, const Tensor& stats,
                   Tensor& dx, Tensor& dresidual, Tensor& partials, const NormSettings& set) {
  using real_t = compute_t<store_t>;
  const int64_t rows = dy.size(0), width = dy.size(1), pieces = partials.size(0);
  const auto *gradient = dy.const_data_ptr<store_t>(), *sum = z.const_data_ptr<store_t>();
  const auto *w = weight.const_data_ptr<real_t>(), *statistics = stats.const_data_ptr<real_t>();
  auto *to_x = dx.mutable_data_ptr<store_t>(), *to_residual = dresidual.mutable_data_ptr<store_t>();
  auto* sums = partials.mutable_data_ptr<real_t>();
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      real_t* dweight = sums + piece * 2 * width;
      for (int64_t t = piece * kNormRows; t < std::min(rows, (piece + 1) * kNormRows); ++t) {
        norm_row_backward(gradient + t * width, sum + t * width, w, statistics + 2 * t,
                          to_x + t * width, to_residual + t * width, dweight, dweight + width,
                          static_cast<uint32_t>(width), static_cast<real_t>(1.0 / (1.0 - set.p)),
                          set.row(t));
      }
    }
  });
}

NormForward run_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& weight,
                             const Tensor& bias, const NormSettings& set, bool keep_sum) {
  RECORD_FUNCTION("tenfold::residual_layer_norm", std::vector<c10::IValue>());
  NormForward out{keep_sum ? torch::empty_like(x) : torch::empty({0}, x.options()),
                  torch::empty_like(x),
                  torch::empty({x.size(0), 2}, x.options().dtype(norm_type(x)))};
  with_element(
      x, [&](auto zero) { norm_forward<decltype(zero)>(x, residual, weight, bias, out, set); });
  return out;
}

struct ResidualNorm : torch::autograd::Function<ResidualNorm> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x,
                        const Tensor& residual, const Tensor& weight, const Tensor& bias,
                        double epsilon, const Tensor& keys_T, int64_t site, double p) {
    const NormSettings set{epsilon, p, static_cast<uint64_t>(site),
                           p > 0 ? keys_T.const_data_ptr<int64_t>() : nullptr};
    NormForward out =
        run_norm_forward(x.contiguous(), residual.contiguous(), weight, bias, set, true);
    ctx->save_for_backward({out.z, weight, out.stats, keys_T});
    ctx->saved_data["site"] = site;
    ctx->saved_data["p"] = p;
    return out.y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const double p = ctx->saved_data["p"].toDouble();
    const NormSettings set{0.0, p, static_cast<uint64_t>(ctx->saved_data["site"].toInt()),
                           p > 0 ? saved[3].const_data_ptr<int64_t>() : nullptr};
    const Tensor dy = gradients[0].contiguous();
    Tensor dresidual = torch::empty_like(dy), dx = p > 0 ? torch::empty_like(dy) : dresidual;
    Tensor partials = torch::zeros({(dy.size(0) + kNormRows - 1) / kNormRows, 2, dy.size(1)},
                                   saved[1].options().requires_grad(false));
    with_element(dy, [&](auto zero) {
      norm_backward<decltype(zero)>(dy, saved[0], saved[1], saved[2], dx, dresidual, partials, set);
    });
    const Tensor sums = partials.sum(0);
    return {dx, dresidual, sums[0], sums[1], {}, {}, {}, {}};
  }
};

}  // namespace

Tensor residual_layer_norm_reference(const Tensor& x_TD, const Tensor& residual_TD,
                                     const Tensor& weight_D, const Tensor& bias_D, double epsilon,
                                     const DropoutAt& dropout) {
  const Tensor sum_TD =
      residual_TD + dropout_rows(x_TD, dropout.row_keys_T, dropout.site, dropout.p);
  return at::layer_norm(sum_TD.to(weight_D.scalar_type()), {sum_TD.size(1)}, weight_D, bias_D,
                        epsilon)
      .to(x_TD.scalar_type());
}

Tensor residual_layer_norm(const Tensor& x_TD, const Tensor& residual_TD, const Tensor& weight_D,
                           const Tensor& bias_D, double epsilon, const DropoutAt& dropout) {
  const at::ScalarType type = x_TD.scalar_type();
  const bool kernel = x_TD.device().is_cpu() && residual_TD.scalar_type() == type &&
                      (type == at::kFloat || type == at::kDouble || type == at::kBFloat16) &&
                      weight_D.scalar_type() == norm_type(x_TD);
  if (!kernel)
    return residual_layer_norm_reference(x_TD, residual_TD, weight_D, bias_D, epsilon, dropout);
  const Tensor keys_T = dropout.p > 0 ? dropout.row_keys_T : torch::empty({0}, torch::kInt64);
  require(dropout.p == 0 || keys_T.size(0) == x_TD.size(0), ErrorKind::shape, "dropout",
          "expected a key for each row");
  if (at::GradMode::is_enabled()) {
    return ResidualNorm::apply(x_TD, residual_TD, weight_D, bias_D, epsilon, keys_T,
                               static_cast<int64_t>(dropout.site), dropout.p);
  }
  const NormSettings set{epsilon, dropout.p, dropout.site,
                         dropout.p > 0 ? keys_T.const_data_ptr<int64_t>() : nullptr};
  return run_norm_forward(x_TD.contiguous(), residual_TD.contiguous(), weight_D, bias_D, set, false)
      .y;
}

LayerNorm::LayerNorm(int64_t width, double epsilon, torch::TensorOptions options)
    : epsilon_(epsilon) {
  weight = register_parameter("weight", torch::ones({width}, options));
  bias = register_parameter("bias", torch::zeros({width}, options));
}

Tensor LayerNorm::forward(const Tensor& x_TD) const {
  return at::layer_norm(x_TD.to(weight.scalar_type()), {weight.size(0)}, weight, bias, epsilon_)
      .to(x_TD.scalar_type());
}

Tensor LayerNorm::forward_residual(const Tensor& x_TD, const Tensor& residual_TD,
                                   const DropoutAt& dropout) const {
  return residual_layer_norm(x_TD, residual_TD, weight, bias, epsilon_, dropout);
}

}  // namespace tenfold::nn

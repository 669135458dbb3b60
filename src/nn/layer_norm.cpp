// LayerNorm of residual + dropout(x): one CPU pass forward, one backward, the mask recomputed from
// its keys. Not here: other norms.
#include "nn/layer_norm.h"

#include <cmath>

#include "support/fail.h"
#include "tensor/counter_hash.h"
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
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void norm_row_forward(const scalar_t* x, const scalar_t* residual,
                                            const scalar_t* weight, const scalar_t* bias,
                                            scalar_t* z, scalar_t* y, scalar_t* stats,
                                            uint32_t width, scalar_t epsilon, scalar_t scale,
                                            const RowDropout& drop) {
  const uint32_t first = drop.key.first, second = drop.key.second, threshold = drop.threshold;
  if (drop.active) {
#pragma omp simd
    for (uint32_t d = 0; d < width; ++d) {
      z[d] = residual[d] + (hash_bits(first, second, d) >= threshold ? x[d] * scale : scalar_t(0));
    }
  } else {
#pragma omp simd
    for (uint32_t d = 0; d < width; ++d) z[d] = residual[d] + x[d];
  }
  scalar_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (uint32_t d = 0; d < width; ++d) sum += z[d];
  const scalar_t mean = sum / static_cast<scalar_t>(width);
  scalar_t squares = 0;
#pragma omp simd reduction(+ : squares)
  for (uint32_t d = 0; d < width; ++d) squares += (z[d] - mean) * (z[d] - mean);
  const scalar_t inverse =
      scalar_t(1) / std::sqrt(squares / static_cast<scalar_t>(width) + epsilon);
#pragma omp simd
  for (uint32_t d = 0; d < width; ++d) y[d] = (z[d] - mean) * inverse * weight[d] + bias[d];
  stats[0] = mean;
  stats[1] = inverse;
}

/// Gradients of one row; those of weight and bias are added to what is there.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void norm_row_backward(const scalar_t* dy, const scalar_t* z,
                                             const scalar_t* weight, const scalar_t* stats,
                                             scalar_t* dx, scalar_t* dresidual, scalar_t* dweight,
                                             scalar_t* dbias, uint32_t width, scalar_t scale,
                                             const RowDropout& drop) {
  const scalar_t mean = stats[0], inverse = stats[1];
  scalar_t sum = 0, product = 0;
#pragma omp simd reduction(+ : sum, product)
  for (uint32_t d = 0; d < width; ++d) {
    const scalar_t hat = (z[d] - mean) * inverse, g = dy[d] * weight[d];
    sum += g;
    product += g * hat;
    dweight[d] += dy[d] * hat;
    dbias[d] += dy[d];
  }
  sum /= static_cast<scalar_t>(width);
  product /= static_cast<scalar_t>(width);
#pragma omp simd
  for (uint32_t d = 0; d < width; ++d) {
    dresidual[d] = (dy[d] * weight[d] - sum - (z[d] - mean) * inverse * product) * inverse;
  }
  if (!drop.active) return;
  const uint32_t first = drop.key.first, second = drop.key.second, threshold = drop.threshold;
#pragma omp simd
  for (uint32_t d = 0; d < width; ++d) {
    dx[d] = hash_bits(first, second, d) >= threshold ? dresidual[d] * scale : scalar_t(0);
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

template <typename scalar_t>
void norm_forward(const Tensor& x, const Tensor& residual, const Tensor& weight, const Tensor& bias,
                  Tensor& z, Tensor& y, Tensor& stats, const NormSettings& set) {
  const int64_t rows = x.size(0), width = x.size(1);
  const auto *from = x.const_data_ptr<scalar_t>(), *beside = residual.const_data_ptr<scalar_t>();
  const auto *w = weight.const_data_ptr<scalar_t>(), *b = bias.const_data_ptr<scalar_t>();
  auto *sum = z.mutable_data_ptr<scalar_t>(), *out = y.mutable_data_ptr<scalar_t>();
  auto* statistics = stats.mutable_data_ptr<scalar_t>();
  const bool keep_sum = z.size(0) == rows;
  at::parallel_for(0, rows, kNormRows, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      scalar_t* z_row = keep_sum ? sum + t * width : out + t * width;
      norm_row_forward(from + t * width, beside + t * width, w, b, z_row, out + t * width,
                       statistics + 2 * t, static_cast<uint32_t>(width),
                       static_cast<scalar_t>(set.epsilon),
                       static_cast<scalar_t>(1.0 / (1.0 - set.p)), set.row(t));
    }
  });
}

template <typename scalar_t>
void norm_backward(const Tensor& dy, const Tensor& z, const Tensor& weight, const Tensor& stats,
                   Tensor& dx, Tensor& dresidual, Tensor& partials, const NormSettings& set) {
  const int64_t rows = dy.size(0), width = dy.size(1), pieces = partials.size(0);
  const auto *gradient = dy.const_data_ptr<scalar_t>(), *sum = z.const_data_ptr<scalar_t>();
  const auto *w = weight.const_data_ptr<scalar_t>(), *statistics = stats.const_data_ptr<scalar_t>();
  auto *to_x = dx.mutable_data_ptr<scalar_t>(),
       *to_residual = dresidual.mutable_data_ptr<scalar_t>();
  auto* sums = partials.mutable_data_ptr<scalar_t>();
  at::parallel_for(0, pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      scalar_t* dweight = sums + piece * 2 * width;
      for (int64_t t = piece * kNormRows; t < std::min(rows, (piece + 1) * kNormRows); ++t) {
        norm_row_backward(gradient + t * width, sum + t * width, w, statistics + 2 * t,
                          to_x + t * width, to_residual + t * width, dweight, dweight + width,
                          static_cast<uint32_t>(width), static_cast<scalar_t>(1.0 / (1.0 - set.p)),
                          set.row(t));
      }
    }
  });
}

struct NormForward {
  Tensor z, y, stats;
};

NormForward run_norm_forward(const Tensor& x, const Tensor& residual, const Tensor& weight,
                             const Tensor& bias, const NormSettings& set, bool keep_sum) {
  NormForward out{keep_sum ? torch::empty_like(x) : torch::empty({0}, x.options()),
                  torch::empty_like(x), torch::empty({x.size(0), 2}, x.options())};
  if (x.scalar_type() == at::kFloat) {
    norm_forward<float>(x, residual, weight, bias, out.z, out.y, out.stats, set);
  } else {
    norm_forward<double>(x, residual, weight, bias, out.z, out.y, out.stats, set);
  }
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
    Tensor partials =
        torch::zeros({(dy.size(0) + kNormRows - 1) / kNormRows, 2, dy.size(1)}, dy.options());
    if (dy.scalar_type() == at::kFloat) {
      norm_backward<float>(dy, saved[0], saved[1], saved[2], dx, dresidual, partials, set);
    } else {
      norm_backward<double>(dy, saved[0], saved[1], saved[2], dx, dresidual, partials, set);
    }
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
  return at::layer_norm(sum_TD, {sum_TD.size(1)}, weight_D, bias_D, epsilon);
}

Tensor residual_layer_norm(const Tensor& x_TD, const Tensor& residual_TD, const Tensor& weight_D,
                           const Tensor& bias_D, double epsilon, const DropoutAt& dropout) {
  const bool kernel = x_TD.device().is_cpu() &&
                      (x_TD.scalar_type() == at::kFloat || x_TD.scalar_type() == at::kDouble) &&
                      residual_TD.scalar_type() == x_TD.scalar_type() &&
                      weight_D.scalar_type() == x_TD.scalar_type();
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
  return at::layer_norm(x_TD, {weight.size(0)}, weight, bias, epsilon_);
}

Tensor LayerNorm::forward_residual(const Tensor& x_TD, const Tensor& residual_TD,
                                   const DropoutAt& dropout) const {
  return residual_layer_norm(x_TD, residual_TD, weight, bias, epsilon_, dropout);
}

}  // namespace tenfold::nn

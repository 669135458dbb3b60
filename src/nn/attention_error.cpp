// Two ways to mix the same heads, compared.
// Not here: the ways.
#include "nn/attention_error.h"

#include "nn/softmax_attention.h"

namespace tenfold::nn {

AttentionError attention_error(const ProjectedAttention& layer, const ProjectedAttention& other,
                               const Tensor& x_TD) {
  const torch::NoGradGuard no_grad;
  const auto [query, key, value] = layer.projected(x_TD);
  const SequenceLayout layout = SequenceLayout::of_lengths({x_TD.size(0)});
  const AttentionContext context{.query_layout = layout,
                                 .source_layout = layout,
                                 .mask = {},
                                 .bias = nullptr,
                                 .past = {},
                                 .pass = PassContext::evaluation(),
                                 .row_keys_T = {}};
  SoftmaxPlan plan = SoftmaxPlan::of(context);
  plan.scale = layer.scale();
  const Tensor exact = softmax_attention(query, key, value, {}, plan).context_THE;
  const AttentionIn in{
      .context = context, .query_TD = x_TD, .source_SD = x_TD, .carry = nullptr, .memory = nullptr};
  const Tensor got = other.mix_heads(query, key, value, in).context_TD.view_as(exact);
  const auto relative = [&](const Tensor& t) {
    return ((t - exact).norm() / exact.norm().clamp_min(1e-30)).item<double>();
  };
  const auto mean_square = [&](const Tensor& t) {
    return layer.scale() * t.square().sum(-1).mean().item<double>();
  };
  const double query_norm = mean_square(query), key_norm = mean_square(key),
               across = layer.scale() * (query.mean(0) * key.mean(0)).sum(-1).mean().item<double>();
  return {.relative = relative(got),
          .uniform = relative(value.mean(0, true).expand_as(exact)),
          .query_norm = query_norm,
          .key_norm = key_norm,
          .sum_norm = query_norm + key_norm + 2 * across};
}

}  // namespace tenfold::nn

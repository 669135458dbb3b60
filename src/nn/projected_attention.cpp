// The three projections, fused where they read the same rows.
// Not here: mixing.
#include "nn/projected_attention.h"

#include <cmath>
#include <span>

#include "nn/product.h"
#include "support/rng.h"

namespace tenfold::nn {

ProjectedAttention::ProjectedAttention(const AttentionShape& shape, uint64_t seed,
                                       torch::TensorOptions options)
    : shape_(shape) {
  const LinearSpec spec{.in = shape.width,
                        .out = shape.heads * shape.head_size,
                        .bias = shape.projection_bias,
                        .initializer_range = shape.initializer_range};
  const auto projection = [&](const char* name) {
    return register_module(
        name, std::make_shared<Linear>(spec, combine_keys(seed, key_of_name(name)), options));
  };
  query_ = projection("query");
  key_ = projection("key");
  value_ = projection("value");
}

double ProjectedAttention::projection_flops(const AttentionShape& shape,
                                            const AttentionLoad& load) {
  return load.tokens * static_cast<double>(6 * shape.width * shape.heads * shape.head_size);
}

double ProjectedAttention::scale() const {
  return shape_.scale > 0 ? shape_.scale : 1.0 / std::sqrt(static_cast<double>(shape_.head_size));
}

ProjectedAttention::Joined ProjectedAttention::joined(size_t first, size_t count) const {
  const std::array<const Linear*, 3> all{query_.get(), key_.get(), value_.get()};
  std::vector<Tensor> weights, biases;
  for (const Linear* linear : std::span(all).subspan(first, count)) {
    weights.push_back(linear->weight);
    if (linear->bias.defined()) biases.push_back(linear->bias);
  }
  const auto one_below_the_other = [](const std::vector<Tensor>& parts) {
    return parts.size() == 1 ? parts[0] : at::cat(parts);
  };
  return {one_below_the_other(weights), biases.empty() ? Tensor() : one_below_the_other(biases)};
}

Tensor ProjectedAttention::fused_projection(const Tensor& x_TD, size_t first, size_t count) const {
  const Joined all = joined(first, count);
  if (!reads_narrow_copy(x_TD, query_->weight)) return linear_product(x_TD, all.weight, all.bias);
  const int64_t width = query_->weight.size(0);
  const Tensor narrow =
      narrow_.in(x_TD.scalar_type(), {query_->weight, key_->weight, value_->weight})
          .narrow(0, static_cast<int64_t>(first) * width, static_cast<int64_t>(count) * width);
  if (!at::GradMode::is_enabled()) return linear_product_value(x_TD, narrow, all.bias);
  return linear_product(x_TD, all.weight, all.bias, narrow);
}

void ProjectedAttention::pack_for_inference(std::optional<at::ScalarType> type) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> sources;
  for (const auto& linear : {query_, key_, value_}) {
    linear->unpack();
    sources.push_back(linear->weight);
    if (linear->bias.defined()) sources.push_back(linear->bias);
  }
  const Joined all = joined(0, 3);
  packed_ = PackedWeight(all.weight.to(type.value_or(all.weight.scalar_type())), all.bias,
                         std::move(sources));
}

AttentionOut ProjectedAttention::mixed_rows(const Tensor& query_THE, const Tensor& key_SHE,
                                            const Tensor& value_SHE, const AttentionIn& in) const {
  AttentionOut out = mix(query_THE, key_SHE, value_SHE, in);
  out.context_TD = out.context_TD.reshape({in.query_TD.size(0), shape_.heads * shape_.head_size});
  return out;
}

AttentionOut ProjectedAttention::mix_heads(const Tensor& query_THE, const Tensor& key_SHE,
                                           const Tensor& value_SHE, const AttentionIn& in) const {
  check_context(in, traits());
  return mixed_rows(query_THE, key_SHE, value_SHE, in);
}

/// Unbound, not selected one by one: gradients are stacked then, not added up.
std::vector<Tensor> ProjectedAttention::unfused(const Tensor& fused, int64_t count) const {
  return fused.view({fused.size(0), count, shape_.heads, shape_.head_size}).unbind(1);
}

std::array<Tensor, 3> ProjectedAttention::projected(const Tensor& x_TD) const {
  const std::vector<Tensor> parts = unfused(
      packed_.serves(x_TD) ? packed_.linear(x_TD, Activation::none) : fused_projection(x_TD, 0, 3),
      3);
  return {parts[0], parts[1], parts[2]};
}

std::array<Tensor, 3> ProjectedAttention::projected_apart(const AttentionIn& in) const {
  if (packed_.serves(in.source_SD)) {  // the packed weight has all three
    const auto [query, key, value] = projected(in.source_SD);
    return {query.index_select(0, in.asking_P), key, value};
  }
  const std::vector<Tensor> query = unfused(fused_projection(in.query_TD, 0, 1), 1),
                            others = unfused(fused_projection(in.source_SD, 1, 2), 2);
  return {query[0], others[0], others[1]};
}

AttentionOut ProjectedAttention::forward(const AttentionIn& in) const {
  check_context(in, traits());
  const auto heads = [&](const Tensor& x) {
    return x.view({x.size(0), shape_.heads, shape_.head_size});
  };
  if (in.keys == KeysFrom::memory)
    return mixed_rows(heads(query_->forward(in.query_TD)), {}, {}, in);
  if (in.asking_P.defined()) {
    const auto [query, key, value] = projected_apart(in);
    return mixed_rows(query, key, value, in);
  }
  if (!in.query_TD.is_same(in.source_SD)) {
    return mixed_rows(heads(query_->forward(in.query_TD)), heads(key_->forward(in.source_SD)),
                      heads(value_->forward(in.source_SD)), in);
  }
  const auto [query, key, value] = projected(in.query_TD);
  return mixed_rows(query, key, value, in);
}

}  // namespace tenfold::nn

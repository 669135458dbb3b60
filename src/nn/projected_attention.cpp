// The three projections, fused where they read the same rows.
// Not here: mixing.
#include "nn/projected_attention.h"

#include <cmath>

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

double ProjectedAttention::scale() const {
  return shape_.scale > 0 ? shape_.scale : 1.0 / std::sqrt(static_cast<double>(shape_.head_size));
}

Tensor ProjectedAttention::fused_weight() const {
  return at::cat({query_->weight, key_->weight, value_->weight});
}

Tensor ProjectedAttention::fused_bias() const {
  return query_->bias.defined() ? at::cat({query_->bias, key_->bias, value_->bias}) : Tensor();
}

Tensor ProjectedAttention::fused_projection(const Tensor& x_TD) const {
  if (packed_.serves(x_TD)) return packed_.linear(x_TD, Activation::none);
  if (!reads_narrow_copy(x_TD, query_->weight))
    return linear_product(x_TD, fused_weight(), fused_bias());
  const Tensor narrow =
      narrow_.in(x_TD.scalar_type(), {query_->weight, key_->weight, value_->weight});
  if (!at::GradMode::is_enabled()) return linear_product_value(x_TD, narrow, fused_bias());
  return linear_product(x_TD, fused_weight(), fused_bias(), narrow);
}

void ProjectedAttention::pack_for_inference(std::optional<at::ScalarType> type) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> sources;
  for (const auto& linear : {query_, key_, value_}) {
    linear->unpack();
    sources.push_back(linear->weight);
    if (linear->bias.defined()) sources.push_back(linear->bias);
  }
  const Tensor weight = fused_weight();
  packed_ = PackedWeight(weight.to(type.value_or(weight.scalar_type())), fused_bias(),
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

std::array<Tensor, 3> ProjectedAttention::projected(const Tensor& x_TD) const {
  // Unbound, not selected thrice: the three gradients are stacked, not added up.
  const std::vector<Tensor> parts =
      fused_projection(x_TD).view({x_TD.size(0), 3, shape_.heads, shape_.head_size}).unbind(1);
  return {parts[0], parts[1], parts[2]};
}

AttentionOut ProjectedAttention::forward(const AttentionIn& in) const {
  check_context(in, traits());
  const auto heads = [&](const Tensor& x) {
    return x.view({x.size(0), shape_.heads, shape_.head_size});
  };
  if (in.keys == KeysFrom::memory)
    return mixed_rows(heads(query_->forward(in.query_TD)), {}, {}, in);
  if (!in.query_TD.is_same(in.source_SD)) {
    return mixed_rows(heads(query_->forward(in.query_TD)), heads(key_->forward(in.source_SD)),
                      heads(value_->forward(in.source_SD)), in);
  }
  const auto [query, key, value] = projected(in.query_TD);
  return mixed_rows(query, key, value, in);
}

}  // namespace tenfold::nn

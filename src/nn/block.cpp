// The post-LN block.
// Not here: kernels.
#include "nn/block.h"

#include "nn/attention_table.h"
#include "support/rng.h"

namespace tenfold::nn {
namespace {

/// Places of a layer that drop values; part of a run's reproducibility, so numbers are never
/// reused.
enum class DropoutPlace : uint64_t {
  attention_weights = 0,
  attention_output = 1,
  feed_forward_output = 2
};

uint64_t dropout_site(uint64_t layer, DropoutPlace place) {
  return combine_keys(combine_keys(key_of_name("layer"), layer), static_cast<uint64_t>(place));
}

}  // namespace

Block::Block(const BlockSpec& spec, uint64_t seed, torch::TensorOptions options)
    : hidden_dropout_(spec.hidden_dropout) {
  const int64_t width = spec.shape.width;
  attention_ = make_attention(spec.attention, spec.shape,
                              combine_keys(seed, key_of_name("attention.self")), options);
  attention_output_ = std::make_shared<ResidualOutput>(
      LinearSpec{.in = spec.shape.heads * spec.shape.head_size,
                 .out = width,
                 .initializer_range = spec.shape.initializer_range},
      spec.layer_norm_eps, combine_keys(seed, key_of_name("attention.output")), options);
  auto attention = register_module("attention", std::make_shared<torch::nn::Module>());
  attention->register_module("self", attention_);
  attention->register_module("output", attention_output_);
  feed_forward_ = std::make_shared<FeedForward>(
      FeedForwardSpec{.width = width,
                      .intermediate_size = spec.intermediate_size,
                      .activation = spec.activation,
                      .layer_norm_eps = spec.layer_norm_eps,
                      .initializer_range = spec.shape.initializer_range},
      seed, options);
  feed_forward_->register_in(*this);
}

BlockOut Block::forward(const BlockIn& in) const {
  const auto dropout_at = [&](DropoutPlace place) {
    return DropoutAt{.row_keys_T = in.context.row_keys_T,
                     .site = dropout_site(in.layer, place),
                     .p = in.context.pass.training ? hidden_dropout_ : 0.0};
  };
  AttentionOut attended =
      attention_->forward({.context = in.context,
                           .query_TD = in.hidden_TD,
                           .source_SD = in.source_SD,
                           .asking_P = in.asking_P,
                           .carry = in.carry,
                           .memory = in.memory,
                           .site = dropout_site(in.layer, DropoutPlace::attention_weights),
                           .layer = static_cast<int64_t>(in.layer)});
  const Tensor middle_TD = attention_output_->forward(attended.context_TD, in.hidden_TD,
                                                      dropout_at(DropoutPlace::attention_output));
  return {feed_forward_->forward(middle_TD, dropout_at(DropoutPlace::feed_forward_output)),
          std::move(attended.carry)};
}

}  // namespace tenfold::nn

// The parts of a post-LN block behind its attention.
// Not here: the block itself.
#include "nn/feed_forward.h"

#include "support/rng.h"

namespace tenfold::nn {

ResidualOutput::ResidualOutput(const LinearSpec& dense, double layer_norm_eps, uint64_t seed,
                               torch::TensorOptions options) {
  dense_ = register_module("dense", std::make_shared<Linear>(dense, seed, options));
  norm_ =
      register_module("LayerNorm", std::make_shared<LayerNorm>(dense.out, layer_norm_eps, options));
}

Tensor ResidualOutput::forward(const Tensor& x_TC, const Tensor& residual_TD,
                               const DropoutAt& dropout) const {
  return norm_->forward_residual(dense_->forward(x_TC), residual_TD, dropout);
}

FeedForward::FeedForward(const FeedForwardSpec& spec, uint64_t seed, torch::TensorOptions options)
    : activation_(spec.activation), intermediate_(std::make_shared<torch::nn::Module>()) {
  dense_ = intermediate_->register_module(
      "dense", std::make_shared<Linear>(LinearSpec{.in = spec.width,
                                                   .out = spec.intermediate_size,
                                                   .initializer_range = spec.initializer_range},
                                        combine_keys(seed, key_of_name("intermediate")), options));
  output_ = std::make_shared<ResidualOutput>(
      LinearSpec{.in = spec.intermediate_size,
                 .out = spec.width,
                 .initializer_range = spec.initializer_range},
      spec.layer_norm_eps, combine_keys(seed, key_of_name("output")), options);
}

Tensor FeedForward::forward(const Tensor& x_TD, const DropoutAt& dropout) const {
  return output_->forward(dense_->forward(x_TD, activation_), x_TD, dropout);
}

void FeedForward::register_in(torch::nn::Module& block) const {
  block.register_module("intermediate", intermediate_);
  block.register_module("output", output_);
}

}  // namespace tenfold::nn

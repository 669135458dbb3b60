// The parts of a post-LN block behind its attention: a projection that returns to the residual, and
// the feed-forward. Not here: attention, or gated feed-forward layers.
#pragma once

#include <cstdint>
#include <memory>

#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// LayerNorm(residual + dropout(dense(x))). Parameters "dense.*", "LayerNorm.*".
class ResidualOutput : public torch::nn::Module {
 public:
  ResidualOutput(const LinearSpec& dense, double layer_norm_eps, uint64_t seed,
                 torch::TensorOptions options);
  Tensor forward(const Tensor& x_TC, const Tensor& residual_TD, const DropoutAt& dropout) const;

 private:
  std::shared_ptr<Linear> dense_;
  std::shared_ptr<LayerNorm> norm_;
};

struct FeedForwardSpec {
  int64_t width = 0, intermediate_size = 0;
  Activation activation = Activation::gelu;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
};

/// x -> LayerNorm(x + dropout(W2 activation(W1 x))). Its two parts are modules of their own, so
/// that the block can register them as "intermediate" and "output" beside its attention.
class FeedForward {
 public:
  FeedForward(const FeedForwardSpec& spec, uint64_t seed, torch::TensorOptions options);
  Tensor forward(const Tensor& x_TD, const DropoutAt& dropout) const;
  void register_in(torch::nn::Module& block) const;

 private:
  Activation activation_;
  std::shared_ptr<torch::nn::Module> intermediate_;
  std::shared_ptr<Linear> dense_;
  std::shared_ptr<ResidualOutput> output_;
};

}  // namespace tenfold::nn

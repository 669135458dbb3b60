// The two convolutions as attention kinds: input projection with a gate, kernels, memory.
// Not here: the output projection (the block's) or the arithmetic (convolve.h).
//
// T query rows, S source rows, D width, H heads, E head size, C = H * E channels, K taps.
#pragma once

#include <cstdint>
#include <memory>

#include "methods/convolution/convolution.h"
#include "methods/convolution/convolve.h"
#include "nn/attention.h"
#include "nn/linear.h"

namespace tenfold::convolution {

/// Parameters "input.*" [2 C, D]: half of what it gives, times the sigmoid of the other half, is
/// convolved (the paper's figure 2). What the kinds differ in is where kernels come from.
class GatedConvolution : public nn::Attention {
 public:
  GatedConvolution(const nn::AttentionShape& shape, const ConvolutionOptions& options,
                   uint64_t seed, torch::TensorOptions tensor_options);
  static nn::AttentionTraits traits_of(const ConvolutionOptions& options);
  /// Of lightweight convolution: the projection of both halves, and the taps.
  static double flops_of(const nn::AttentionShape& shape, const ConvolutionOptions& options,
                         const nn::AttentionLoad& load);

  nn::AttentionTraits traits() const final { return traits_of(options_); }
  nn::AttentionOut forward(const nn::AttentionIn& in) const final;
  std::unique_ptr<nn::AttentionMemory> new_memory(int64_t count, int64_t capacity) const final;

 protected:
  /// Normalised kernels, dropped while training; says in the plan whose they are.
  virtual Tensor kernels(const nn::AttentionIn& in, const Tensor& source_SC,
                         ConvolutionPlan& plan) const = 0;
  /// The input projection and its gate: [rows, C] in fp32, or fp64 where x is.
  Tensor gated(const Tensor& x) const;

  const nn::AttentionShape& shape() const { return shape_; }
  int64_t kernel_size() const { return options_.kernel_size; }

 private:
  /// The plan and rows of a step: those that came, behind those in memory where there is one.
  Tensor remembered(const nn::AttentionIn& in, const Tensor& source_SC,
                    ConvolutionPlan& plan) const;

  nn::AttentionShape shape_;
  ConvolutionOptions options_;
  std::shared_ptr<nn::Linear> input_;
};

/// LightConv (section 3): a parameter "kernel" [H, K] for all tokens.
class LightweightConvolution final : public GatedConvolution {
 public:
  LightweightConvolution(const nn::AttentionShape& shape, const ConvolutionOptions& options,
                         uint64_t seed, torch::TensorOptions tensor_options);

 protected:
  Tensor kernels(const nn::AttentionIn& in, const Tensor& source_SC,
                 ConvolutionPlan& plan) const override;

 private:
  Tensor kernel_HK_;
};

/// DynamicConv (section 4): parameters "kernel.weight" [H * K, C] make each token's kernels.
class DynamicConvolution final : public GatedConvolution {
 public:
  DynamicConvolution(const nn::AttentionShape& shape, const ConvolutionOptions& options,
                     uint64_t seed, torch::TensorOptions tensor_options);
  static double flops_of(const nn::AttentionShape& shape, const ConvolutionOptions& options,
                         const nn::AttentionLoad& load);

 protected:
  Tensor kernels(const nn::AttentionIn& in, const Tensor& source_SC,
                 ConvolutionPlan& plan) const override;

 private:
  std::shared_ptr<nn::Linear> kernel_;
};

}  // namespace tenfold::convolution

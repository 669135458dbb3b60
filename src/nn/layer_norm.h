// Layer normalisation, and the residual sum with dropout that precedes it in a post-LN block, in
// one pass over memory. Not here: RMSNorm or where a norm stands (block.h).
#pragma once

#include <cstdint>

#include "tensor/torch.h"

namespace tenfold::nn {

/// Where a dropout takes its bits: the rows' keys, the place in the network, the probability. p =
/// 0: no dropout.
struct DropoutAt {
  Tensor row_keys_T;
  uint64_t site = 0;
  double p = 0.0;
};

/// Parameters "weight" (ones) and "bias" (zeros), [width]. forward is const and thread-safe.
class LayerNorm : public torch::nn::Module {
 public:
  LayerNorm(int64_t width, double epsilon, torch::TensorOptions options);

  Tensor forward(const Tensor& x_TD) const;
  /// forward(residual + dropout(x)), fused on the CPU.
  Tensor forward_residual(const Tensor& x_TD, const Tensor& residual_TD,
                          const DropoutAt& dropout = {}) const;

  Tensor weight, bias;
  double epsilon() const { return epsilon_; }

 private:
  double epsilon_;
};

/// The function behind forward_residual. x, residual: [T, D]; their number format is that of the
/// result, weight and bias may have a wider one, in which statistics and sums are taken.
Tensor residual_layer_norm(const Tensor& x_TD, const Tensor& residual_TD, const Tensor& weight_D,
                           const Tensor& bias_D, double epsilon, const DropoutAt& dropout);
/// The same from separate operators: the reference, and the path of other devices.
Tensor residual_layer_norm_reference(const Tensor& x_TD, const Tensor& residual_TD,
                                     const Tensor& weight_D, const Tensor& bias_D, double epsilon,
                                     const DropoutAt& dropout);

}  // namespace tenfold::nn

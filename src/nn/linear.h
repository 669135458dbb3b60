// y = x W^T + b with Hugging Face's parameter names and layout, and its packed form for inference.
// Not here: the activation as a layer (activation.h), quantised weights.
#pragma once

#include <cstdint>

#include "nn/activation.h"
#include "nn/narrow_weight.h"
#include "nn/packing.h"
#include "tensor/torch.h"

namespace tenfold::nn {

struct LinearSpec {
  int64_t in = 0, out = 0;
  bool bias = true;
  double initializer_range =
      0.02;  ///< of the weights: normal, cut at two deviations; the bias starts at 0
};

/// Parameters "weight" [out, in] and "bias" [out]. forward is const and thread-safe. x: [..., in];
/// its number format is that of the product and of the result, whatever the parameters have.
class Linear : public torch::nn::Module, public Packable {
 public:
  Linear(const LinearSpec& spec, uint64_t seed, torch::TensorOptions options);

  /// activation(x W^T + b): one product with the activation fused where the weights are packed and
  /// gradients are off.
  Tensor forward(const Tensor& x, Activation activation = Activation::none) const;

  void pack_for_inference(std::optional<at::ScalarType> type) override;
  void unpack() override { packed_ = {}; }

  Tensor weight, bias;  ///< bias is undefined without one

 private:
  PackedWeight packed_;
  NarrowWeight narrow_;
};

}  // namespace tenfold::nn

// Weights laid out once for inference by oneDNN, and the products that use them.
// Not here: quantisation, or the layers that own weights (linear.h, projected_attention.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/activation.h"
#include "nn/weight_stamp.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// A weight in oneDNN's own layout together with the version of the tensors it was made from: once
/// an optimiser or a load writes to them the packed form counts as stale and is not used.
class PackedWeight {
 public:
  PackedWeight() = default;
  /// Packs `weight` [out, in], already in the number format of the products; stays empty where
  /// this machine has no packed product for it. `sources` are the tensors whose change makes it
  /// stale.
  PackedWeight(const Tensor& weight, const Tensor& bias, std::vector<Tensor> sources);

  /// Whether `linear` may be used for x now: packed, not stale, gradients off, same dtype, on the
  /// CPU, rows > 0.
  bool serves(const Tensor& x) const;
  Tensor linear(const Tensor& x, Activation activation) const;

 private:
  Tensor packed_, bias_;
  at::ScalarType dtype_ = at::kFloat;
  WeightStamp stamp_;
};

/// A module that can lay its weights out for inference.
class Packable {
 public:
  virtual ~Packable() = default;
  /// For products in `type`; none: in the weights' own.
  virtual void pack_for_inference(std::optional<at::ScalarType> type) = 0;
  virtual void unpack() = 0;
};

/// Packs every Packable below and including `root` for products in `type`, none: in the weights'
/// own (costs a second copy of the weights). Call after loading; not while another thread runs the
/// model.
void pack_for_inference(torch::nn::Module& root, std::optional<at::ScalarType> type = {});
void unpack(torch::nn::Module& root);

}  // namespace tenfold::nn

// Packed weights and their products.
// Not here: choosing which layers are packed, or oneDNN's operators (onednn.h).
#include "nn/packing.h"

#include <algorithm>

#include "nn/onednn.h"

namespace tenfold::nn {
namespace {

/// Rows the packing is tuned for.
constexpr int64_t kExpectedRows = 128;

}  // namespace

PackedWeight::PackedWeight(const Tensor& weight, const Tensor& bias, std::vector<Tensor> sources) {
  if (weight.numel() == 0 || !onednn_serves(weight)) return;
  const torch::NoGradGuard no_grad;
  packed_ = onednn_reordered(weight, kExpectedRows);
  if (bias.defined()) bias_ = bias.detach().to(weight.scalar_type());
  dtype_ = weight.scalar_type();
  stamp_ = WeightStamp(std::move(sources));
}

bool PackedWeight::serves(const Tensor& x) const {
  if (!packed_.defined() || at::GradMode::is_enabled() || x.scalar_type() != dtype_ ||
      x.numel() == 0)
    return false;
  return x.device().is_cpu() && stamp_.current();
}

Tensor PackedWeight::linear(const Tensor& x, Activation activation) const {
  return onednn_linear(x, packed_, bias_, activation);
}

void pack_for_inference(torch::nn::Module& root, std::optional<at::ScalarType> type) {
  // Children first, so that a parent that packs a fused product may drop theirs.
  auto modules = root.modules(false);
  std::reverse(modules.begin(), modules.end());
  for (const auto& module : modules) {
    if (auto* packable_module = dynamic_cast<Packable*>(module.get()))
      packable_module->pack_for_inference(type);
  }
  if (auto* self = dynamic_cast<Packable*>(&root)) self->pack_for_inference(type);
}

void unpack(torch::nn::Module& root) {
  for (const auto& module : root.modules(false)) {
    if (auto* packable_module = dynamic_cast<Packable*>(module.get())) packable_module->unpack();
  }
  if (auto* self = dynamic_cast<Packable*>(&root)) self->unpack();
}

}  // namespace tenfold::nn

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
  if (bias.defined()) bias_ = bias.detach();
  dtype_ = weight.scalar_type();
  sources_ = std::move(sources);
  for (const Tensor& t : sources_) stamps_.emplace_back(t.const_data_ptr(), t._version());
}

bool PackedWeight::serves(const Tensor& x) const {
  if (!packed_.defined() || at::GradMode::is_enabled() || x.scalar_type() != dtype_ ||
      x.numel() == 0)
    return false;
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].const_data_ptr() != stamps_[i].first ||
        sources_[i]._version() != stamps_[i].second)
      return false;
  }
  return x.device().is_cpu();
}

Tensor PackedWeight::linear(const Tensor& x, Activation activation) const {
  return onednn_linear(x, packed_, bias_, activation);
}

void pack_for_inference(torch::nn::Module& root) {
  // Children first, so that a parent that packs a fused product may drop theirs.
  auto modules = root.modules(false);
  std::reverse(modules.begin(), modules.end());
  for (const auto& module : modules) {
    if (auto* packable_module = dynamic_cast<Packable*>(module.get()))
      packable_module->pack_for_inference();
  }
  if (auto* self = dynamic_cast<Packable*>(&root)) self->pack_for_inference();
}

void unpack(torch::nn::Module& root) {
  for (const auto& module : root.modules(false)) {
    if (auto* packable_module = dynamic_cast<Packable*>(module.get())) packable_module->unpack();
  }
  if (auto* self = dynamic_cast<Packable*>(&root)) self->unpack();
}

}  // namespace tenfold::nn

// Packed products through oneDNN's operators, which libtorch offers by name only.
// Not here: choosing which layers are packed.
#include "nn/packing.h"

#include <algorithm>

namespace tenfold::nn {
namespace {

/// Rows the packing is tuned for.
constexpr int64_t kExpectedRows = 128;

const c10::OperatorHandle& reorder_operator() {
  static const c10::OperatorHandle op =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_reorder_linear_weight", "");
  return op;
}

const c10::OperatorHandle& linear_operator() {
  static const c10::OperatorHandle op =
      c10::Dispatcher::singleton().findSchemaOrThrow("mkldnn::_linear_pointwise", "");
  return op;
}

bool packable(const Tensor& weight) {
  if (!weight.device().is_cpu() || !at::globalContext().hasMKLDNN() || weight.numel() == 0)
    return false;
  if (weight.scalar_type() == at::kFloat) return true;
  return weight.scalar_type() == at::kBFloat16 && __builtin_cpu_supports("avx512bf16");
}

}  // namespace

PackedWeight::PackedWeight(const Tensor& weight, const Tensor& bias, std::vector<Tensor> sources) {
  if (!packable(weight)) return;
  const torch::NoGradGuard no_grad;
  torch::jit::Stack stack{weight.detach().contiguous(), c10::IValue(kExpectedRows)};
  reorder_operator().callBoxed(stack);
  packed_ = stack.at(0).toTensor();
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
  const bool fused = activation == Activation::gelu;
  torch::jit::Stack stack{x.contiguous(),
                          packed_,
                          bias_.defined() ? c10::IValue(bias_) : c10::IValue(),
                          c10::IValue(std::string(fused ? "gelu" : "none")),
                          c10::IValue(c10::List<std::optional<at::Scalar>>()),
                          fused ? c10::IValue(std::string("none")) : c10::IValue()};
  linear_operator().callBoxed(stack);
  const Tensor y = stack.at(0).toTensor();
  return fused ? y : activate(y, activation);
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

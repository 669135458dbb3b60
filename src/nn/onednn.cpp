// Boxed calls of oneDNN's operators.
// Not here: caching of weights.
#include "nn/onednn.h"

#include <string>

namespace tenfold::nn {
namespace {

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

}  // namespace

bool onednn_computes_in(at::ScalarType type) {
  static const bool present = at::globalContext().hasMKLDNN();
  static const bool narrow = __builtin_cpu_supports("avx512bf16") != 0;
  return present && (type == at::kFloat || (narrow && type == at::kBFloat16));
}

bool onednn_serves(const Tensor& x) {
  return x.device().is_cpu() && onednn_computes_in(x.scalar_type());
}

Tensor onednn_reordered(const Tensor& weight, int64_t rows) {
  torch::jit::Stack stack{weight.detach().contiguous(), c10::IValue(rows)};
  reorder_operator().callBoxed(stack);
  return stack.at(0).toTensor();
}

Tensor onednn_linear(const Tensor& x, const Tensor& weight, const Tensor& bias,
                     Activation activation) {
  const bool fused = activation == Activation::gelu;
  torch::jit::Stack stack{x.contiguous(),
                          weight,
                          bias.defined() ? c10::IValue(bias) : c10::IValue(),
                          c10::IValue(std::string(fused ? "gelu" : "none")),
                          c10::IValue(c10::List<std::optional<at::Scalar>>()),
                          fused ? c10::IValue(std::string("none")) : c10::IValue()};
  linear_operator().callBoxed(stack);
  const Tensor y = stack.at(0).toTensor();
  return fused ? y : activate(y, activation);
}

}  // namespace tenfold::nn

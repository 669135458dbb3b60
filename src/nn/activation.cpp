// Names to functions.
// Not here: fused forms (packing.cpp).
#include "nn/activation.h"

#include "nn/gelu.h"
#include "support/fail.h"

namespace tenfold::nn {

Activation parse_activation(std::string_view name) {
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
  if (name == "relu") return Activation::relu;
  fail(ErrorKind::config, "hidden_act",
       "expected 'gelu', 'gelu_new', 'gelu_pytorch_tanh' or 'relu', got '{}'", name);
}

Tensor activate(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::gelu: return exact_gelu(x);
    case Activation::gelu_tanh: return at::gelu(x, "tanh");
    case Activation::relu: return at::relu(x);
    case Activation::tanh: return at::tanh(x);
  }
  return x;
}

}  // namespace tenfold::nn

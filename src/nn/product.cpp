// The product and its three gradients.
// Not here: oneDNN's operators themselves (onednn.h).
#include "nn/product.h"

#include "nn/onednn.h"
#include "tensor/optional_tensor.h"

namespace tenfold::nn {
namespace {

std::optional<Tensor> bias_like(const Tensor& bias, const Tensor& x) {
  return bias.defined() ? std::optional(bias.to(x.scalar_type())) : std::nullopt;
}

bool serves(const Tensor& x, const Tensor& weight) {
  return x.numel() > 0 && weight.numel() > 0 && onednn_serves(x);
}

struct LinearProduct : torch::autograd::Function<LinearProduct> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x,
                        const Tensor& weight, const std::optional<Tensor>& bias,
                        const Tensor& narrow) {
    ctx->save_for_backward({x, narrow});
    ctx->saved_data["wide"] = static_cast<int64_t>(weight.scalar_type());
    return onednn_linear(x, narrow, bias ? bias->to(x.scalar_type()) : Tensor());
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = gradients[0].contiguous();
    const Tensor dy_TN = dy.view({-1, weight.size(0)});
    const auto wide = static_cast<at::ScalarType>(ctx->saved_data["wide"].toInt());
    torch::autograd::variable_list out(4);
    if (ctx->needs_input_grad(0)) out[0] = onednn_linear(dy, weight.t(), {});
    if (ctx->needs_input_grad(1)) out[1] = dy_TN.t().mm(x.reshape({-1, weight.size(1)})).to(wide);
    if (ctx->needs_input_grad(2)) out[2] = dy_TN.sum(0, false, wide);
    return out;
  }
};

}  // namespace

bool reads_narrow_copy(const Tensor& x, const Tensor& weight) {
  return x.scalar_type() != weight.scalar_type() &&
         (!at::GradMode::is_enabled() || onednn_serves(x));
}

Tensor linear_product_value(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::optional<Tensor> b = bias_like(bias, x);
  if (serves(x, weight)) return onednn_linear(x, weight, b.value_or(Tensor()));
  return at::linear(x, weight, b);
}

Tensor linear_product(const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Tensor& narrow) {
  const bool grad = at::GradMode::is_enabled();
  if (grad && !serves(x, weight))
    return at::linear(x, weight.to(x.scalar_type()), bias_like(bias, x));
  const Tensor used = narrow.defined() ? narrow : weight.detach().to(x.scalar_type());
  if (!grad) return linear_product_value(x, used, bias);
  return LinearProduct::apply(x, weight, as_optional(bias), used);
}

}  // namespace tenfold::nn

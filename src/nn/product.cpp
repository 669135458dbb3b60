// The product and its three gradients.
// Not here: oneDNN's operators themselves (onednn.h).
#include "nn/product.h"

#include "nn/onednn.h"

namespace tenfold::nn {
namespace {

std::optional<Tensor> if_defined(const Tensor& x) {
  return x.defined() ? std::optional(x) : std::nullopt;
}

bool serves(const Tensor& x, const Tensor& weight) {
  return x.numel() > 0 && weight.numel() > 0 && x.scalar_type() == weight.scalar_type() &&
         onednn_serves(x);
}

struct LinearProduct : torch::autograd::Function<LinearProduct> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x,
                        const Tensor& weight, const std::optional<Tensor>& bias) {
    ctx->save_for_backward({x, weight});
    return onednn_linear(x, weight, bias.value_or(Tensor()));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = gradients[0].contiguous();
    const Tensor dy_TN = dy.view({-1, weight.size(0)});
    torch::autograd::variable_list out(3);
    if (ctx->needs_input_grad(0)) out[0] = onednn_linear(dy, weight.t().contiguous(), {});
    if (ctx->needs_input_grad(1)) out[1] = dy_TN.t().mm(x.reshape({-1, weight.size(1)}));
    if (ctx->needs_input_grad(2)) out[2] = dy_TN.sum(0);
    return out;
  }
};

}  // namespace

Tensor linear_product_value(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (serves(x, weight)) return onednn_linear(x, weight, bias);
  return at::linear(x, weight, if_defined(bias));
}

Tensor linear_product(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (!at::GradMode::is_enabled()) return linear_product_value(x, weight, bias);
  if (!serves(x, weight)) return at::linear(x, weight, if_defined(bias));
  return LinearProduct::apply(x, weight, if_defined(bias));
}

}  // namespace tenfold::nn

// Softmax attention on the CPU: which kernel takes a batch, and the autograd node around them.
// Not here: the definition (softmax_reference.cpp), the pieces (softmax_pieces.cpp) or memory
// (softmax_attention.cpp).
#include <algorithm>

#include "nn/softmax_attention.h"
#include "nn/softmax_bf16.h"
#include "nn/softmax_pieces.h"
#include "nn/softmax_step.h"
#include "support/fail.h"
#include "tensor/optional_tensor.h"

namespace tenfold::nn {
namespace {

/// The plan as autograd keeps it between the passes, with what the backward pass needs besides
/// tensors.
struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(SoftmaxPlan p) : plan(std::move(p)) {}
  SoftmaxPlan plan;
};

struct FastSoftmax : torch::autograd::Function<FastSoftmax> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx,
                                                const Tensor& query, const Tensor& key,
                                                const Tensor& value,
                                                const std::optional<Tensor>& carry_in,
                                                const std::optional<Tensor>& bias_in,
                                                c10::intrusive_ptr<PlanHolder> holder) {
    RECORD_FUNCTION("tenfold::softmax_attention", std::vector<c10::IValue>());
    const SoftmaxInputs in{.query_THE = query,
                           .key_SHE = key,
                           .value_SHE = value,
                           .carry = carry_in.value_or(Tensor()),
                           .below = {},
                           .bias_HR = bias_in.value_or(Tensor())};
    SoftmaxPieces out = softmax_forward(in, holder->plan, /*keep_weights=*/true);
    ctx->save_for_backward({query, key, value, out.flat_weights, in.bias_HR});
    ctx->saved_data["carried"] = in.carry.defined();
    ctx->saved_data["plan"] = c10::IValue::make_capsule(holder);
    ctx->set_materialize_grads(false);
    return {out.context_THE, out.flat_scores};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor& weights = saved[3];
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    // The carry's values are not needed, only that there was one.
    const SoftmaxInputs in{.query_THE = saved[0],
                           .key_SHE = saved[1],
                           .value_SHE = saved[2],
                           .carry = ctx->saved_data["carried"].toBool() ? weights : Tensor(),
                           .below = {},
                           .bias_HR = saved[4]};
    const auto whole = [](const Tensor& gradient) {
      return gradient.defined() ? gradient.contiguous() : gradient;
    };
    const Tensor dout_THE =
        gradients[0].defined()
            ? gradients[0]
            : torch::zeros({saved[0].size(0), saved[0].size(1), saved[2].size(2)},
                           saved[0].options());
    SoftmaxGradients out = softmax_backward(in, static_cast<const PlanHolder&>(*capsule).plan,
                                            weights, dout_THE, whole(gradients[1]));
    return {out.query_THE, out.key_SHE, out.value_SHE, out.carry, out.bias_HR, {}};
  }
};

bool all_flash(const SoftmaxPlan& plan, const Tensor& carry) {
  return !carry.defined() && !plan.hand_on_scores && plan.factor == 1.0 && !plan.bias &&
         plan.dropout == 0 &&
         std::all_of(plan.sequences.begin(), plan.sequences.end(), flash_honours);
}

Tensor flash_forward(const Tensor& query, const Tensor& key, const Tensor& value,
                     const SoftmaxPlan& plan) {
  Tensor context_THE = torch::empty(query.sizes(), query.options());
  for (const AttentionSequence& s : plan.sequences) {
    if (s.queries == 0) continue;
    const auto batched = [](const Tensor& x_HNE) { return x_HNE.unsqueeze(0); };
    const auto key_heads = [&](const Tensor& x_SHE) {
      return x_SHE.narrow(0, s.key_begin, s.keys).transpose(0, 1);
    };
    const auto result = at::_scaled_dot_product_flash_attention_for_cpu(
        batched(query_heads(query, s)), batched(key_heads(key)), batched(key_heads(value)), 0.0,
        s.kind == See::past && s.queries > 1, {}, plan.scale);
    query_heads(context_THE, s).copy_(std::get<0>(result)[0]);
  }
  return context_THE;
}

/// fp32 or fp64 for everything but the carry, which has it already.
SoftmaxInputs widened(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                      const SoftmaxPlan& plan) {
  const at::ScalarType inside = query_THE.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return {.query_THE = query_THE.to(inside),
          .key_SHE = key_SHE.to(inside),
          .value_SHE = value_SHE.to(inside),
          .carry = {},
          .below = {},
          .bias_HR = plan.bias ? plan.bias->by_offset_HR.to(inside) : Tensor()};
}

}  // namespace

bool flash_honours(const AttentionSequence& s) {
  if (s.queries == 0) return true;
  if (s.has_holes || s.keys == 0) return false;
  if (s.kind == See::all) return true;
  if (s.kind != See::past) return false;
  return s.queries == 1 ? s.past + 1 == s.keys : s.past == 0 && s.queries == s.keys;
}

SoftmaxOut softmax_fast(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                        const Tensor& carry, const SoftmaxPlan& plan) {
  const bool grad = at::GradMode::is_enabled();
  if (!grad && plan.factor == 1.0 &&
      softmax_bf16_serves(query_THE, key_SHE, value_SHE, carry, plan))
    return {softmax_bf16(query_THE, key_SHE, value_SHE, plan), {}};
  if (softmax_step_serves(query_THE, key_SHE, value_SHE, carry, plan))
    return {softmax_step(query_THE, key_SHE, value_SHE, plan), {}};
  if (!grad && value_SHE.size(2) == query_THE.size(2) && all_flash(plan, carry))
    return {flash_forward(query_THE, key_SHE, value_SHE, plan), {}};
  const at::ScalarType given = query_THE.scalar_type();
  const SoftmaxInputs in = widened(query_THE, key_SHE, value_SHE, plan);
  if (!grad) {
    SoftmaxInputs carried = in;
    carried.carry = carry;
    const SoftmaxPieces out = softmax_forward(carried, plan, /*keep_weights=*/false);
    return {out.context_THE.to(given), plan.hand_on_scores ? out.flat_scores : Tensor()};
  }
  const auto results =
      FastSoftmax::apply(in.query_THE, in.key_SHE, in.value_SHE, as_optional(carry),
                         as_optional(in.bias_HR), c10::make_intrusive<PlanHolder>(plan));
  return {results[0].to(given), plan.hand_on_scores ? results[1] : Tensor()};
}

Tensor softmax_summed(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                      const std::vector<Tensor>& below, const SoftmaxPlan& plan) {
  require(!at::GradMode::is_enabled(), ErrorKind::internal, "attention",
          "sums of products have no gradient here");
  SoftmaxInputs in = widened(query_THE, key_SHE, value_SHE, plan);
  for (const Tensor& x : below) in.below.push_back(x.to(in.query_THE.scalar_type()));
  SoftmaxPlan alone = plan;
  alone.hand_on_scores = false;
  return softmax_forward(in, alone, /*keep_weights=*/false).context_THE.to(query_THE.scalar_type());
}

}  // namespace tenfold::nn

// Softmax attention on the CPU: products over heads sequence by sequence, fused row loops, one
// autograd node. Not here: the definition (softmax_reference.cpp) or memory
// (softmax_attention.cpp).
#include <algorithm>

#include "nn/softmax_attention.h"
#include "nn/softmax_bf16.h"
#include "nn/softmax_rows.h"
#include "nn/visible_range.h"
#include "support/rng.h"
#include "tensor/optional_tensor.h"

namespace tenfold::nn {
namespace {

/// Calls work(row of head h and query i, h, i) for all of them, on all threads.
template <typename Work>
void for_weight_rows(int64_t heads, const AttentionSequence& s, Work work) {
  const int64_t grain = 1 + 16384 / (s.seen_keys() + 1);
  at::parallel_for(0, heads * s.queries, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) work(row, row / s.queries, row % s.queries);
  });
}

template <typename scalar_t>
void softmax_in_place(Tensor& score_HNM, const AttentionSequence& s) {
  const int64_t m = s.seen_keys();
  auto* scores = score_HNM.mutable_data_ptr<scalar_t>();
  for_weight_rows(score_HNM.size(0), s, [&](int64_t row, int64_t, int64_t i) {
    const VisibleRange range = visible_range(s, i);
    softmax_row(scores + row * m, m, range.lo, range.hi, range.skip);
  });
}

template <typename scalar_t>
void drop_rows(const Tensor& from_HNM, Tensor& to_HNM, const AttentionSequence& s,
               const SoftmaxPlan& plan) {
  const int64_t m = s.seen_keys();
  const auto* from = from_HNM.const_data_ptr<scalar_t>();
  auto* to = to_HNM.mutable_data_ptr<scalar_t>();
  const auto* keys = plan.row_keys_T.const_data_ptr<int64_t>() + s.query_begin;
  for_weight_rows(from_HNM.size(0), s, [&](int64_t row, int64_t h, int64_t i) {
    const uint64_t key = combine_keys(static_cast<uint64_t>(keys[i]), static_cast<uint64_t>(h));
    drop_weight_row(from + row * m, to + row * m, m, s.has_holes ? s.kept.data() : nullptr,
                    HashKey::of(key, plan.site), drop_threshold(plan.dropout),
                    static_cast<scalar_t>(1.0 / (1.0 - plan.dropout)));
  });
}

template <typename scalar_t>
void softmax_backward_in_place(const Tensor& weight_HNM, Tensor& gradient_HNM,
                               const AttentionSequence& s) {
  const int64_t m = s.seen_keys();
  const auto* weights = weight_HNM.const_data_ptr<scalar_t>();
  auto* gradients = gradient_HNM.mutable_data_ptr<scalar_t>();
  for_weight_rows(weight_HNM.size(0), s, [&](int64_t row, int64_t, int64_t) {
    softmax_row_backward(weights + row * m, gradients + row * m, m);
  });
}

/// Calls a kernel with the scalar type of t (float or double).
template <typename Kernel>
void with_scalar(const Tensor& t, Kernel kernel) {
  if (t.scalar_type() == at::kFloat) {
    kernel(float{});
  } else {
    kernel(double{});
  }
}

Tensor dropped(const Tensor& x_HNM, const AttentionSequence& s, const SoftmaxPlan& plan) {
  if (plan.dropout == 0.0) return x_HNM;
  Tensor result = torch::empty_like(x_HNM);
  with_scalar(x_HNM, [&](auto zero) { drop_rows<decltype(zero)>(x_HNM, result, s, plan); });
  return result;
}

/// Rows of one sequence with its holes left out, heads in front: [H, m, E].
Tensor seen_heads(const Tensor& x_SHE, const AttentionSequence& s) {
  Tensor rows = x_SHE.narrow(0, s.key_begin, s.keys);
  if (s.has_holes) rows = rows.index_select(0, torch::tensor(s.kept, torch::kInt64));
  return rows.transpose(0, 1);
}

Tensor query_heads(const Tensor& x_THE, const AttentionSequence& s) {
  return x_THE.narrow(0, s.query_begin, s.queries).transpose(0, 1);
}

/// Position bias at the keys that are left.
Tensor seen_bias(const PositionBias& bias, const AttentionSequence& s) {
  const Tensor dense_HNM = bias.dense(s.past, s.queries, s.keys);
  return s.has_holes ? dense_HNM.index_select(2, torch::tensor(s.kept, torch::kInt64)) : dense_HNM;
}

/// Adds the gradient of a dense bias to that of its table.
void add_bias_gradient(Tensor& table_HR, const Tensor& dense_HNM, const AttentionSequence& s,
                       int64_t reach) {
  Tensor place_M =
      s.has_holes ? torch::tensor(s.kept, torch::kInt64) : torch::arange(s.keys, torch::kInt64);
  const Tensor offset_NM =
      place_M.unsqueeze(0) - torch::arange(s.past, s.past + s.queries, torch::kInt64).unsqueeze(1);
  table_HR.index_add_(1, offset_NM.clamp(-reach, reach).add_(reach).reshape({-1}),
                      dense_HNM.flatten(1));
}

/// The plan as autograd keeps it between the passes, with what the backward pass needs besides
/// tensors.
struct PlanHolder : torch::CustomClassHolder {
  explicit PlanHolder(SoftmaxPlan p) : plan(std::move(p)) {}
  SoftmaxPlan plan;
};

struct FastForward {
  Tensor context_THE, flat_scores, flat_weights;
};

int64_t weight_count(const SoftmaxPlan& plan, int64_t heads) {
  int64_t total = 0;
  for (const AttentionSequence& s : plan.sequences) total += heads * s.queries * s.seen_keys();
  return total;
}

FastForward fast_forward(const Tensor& query, const Tensor& key, const Tensor& value,
                         const Tensor& carry, const Tensor& bias_HR, const SoftmaxPlan& plan,
                         bool keep_weights) {
  const int64_t heads = query.size(1), total = weight_count(plan, heads);
  FastForward out{torch::zeros({query.size(0), heads, value.size(2)}, query.options()),
                  torch::empty({plan.hand_on_scores ? total : 0}, query.options()),
                  torch::empty({keep_weights ? total : 0}, query.options())};
  int64_t at_score = 0;
  for (const AttentionSequence& s : plan.sequences) {
    const int64_t m = s.seen_keys(), size = heads * s.queries * m;
    if (size == 0) continue;
    const std::vector<int64_t> shape{heads, s.queries, m};
    Tensor weight_HNM = keep_weights ? out.flat_weights.narrow(0, at_score, size).view(shape)
                                     : torch::empty(shape, query.options());
    const Tensor key_HEM = seen_heads(key, s).transpose(1, 2);
    if (carry.defined()) {
      weight_HNM.copy_(carry.narrow(0, at_score, size).view(shape));
      weight_HNM.baddbmm_(query_heads(query, s), key_HEM, 1, plan.scale);
    } else {
      weight_HNM.baddbmm_(query_heads(query, s), key_HEM, 0, plan.scale);
    }
    if (plan.hand_on_scores)
      out.flat_scores.narrow(0, at_score, size).view(shape).copy_(weight_HNM);
    at_score += size;
    if (bias_HR.defined()) weight_HNM.add_(seen_bias({bias_HR, plan.bias->reach}, s));
    with_scalar(query, [&](auto zero) { softmax_in_place<decltype(zero)>(weight_HNM, s); });
    query_heads(out.context_THE, s)
        .copy_(at::bmm(dropped(weight_HNM, s, plan), seen_heads(value, s)));
  }
  return out;
}

struct FastSoftmax : torch::autograd::Function<FastSoftmax> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx,
                                                const Tensor& query, const Tensor& key,
                                                const Tensor& value,
                                                const std::optional<Tensor>& carry_in,
                                                const std::optional<Tensor>& bias_in,
                                                c10::intrusive_ptr<PlanHolder> holder) {
    RECORD_FUNCTION("tenfold::softmax_attention", std::vector<c10::IValue>());
    const Tensor carry = carry_in.value_or(Tensor()), bias_HR = bias_in.value_or(Tensor());
    FastForward out = fast_forward(query, key, value, carry, bias_HR, holder->plan, true);
    ctx->save_for_backward({query, key, value, out.flat_weights, bias_HR});
    ctx->saved_data["carried"] = carry.defined();
    ctx->saved_data["plan"] = c10::IValue::make_capsule(holder);
    ctx->set_materialize_grads(false);
    return {out.context_THE, out.flat_scores};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &query = saved[0], &key = saved[1], &value = saved[2], &weights = saved[3],
                 &bias_HR = saved[4];
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const SoftmaxPlan& plan = static_cast<const PlanHolder&>(*capsule).plan;
    const int64_t heads = query.size(1);
    const Tensor dout = gradients[0].defined()
                            ? gradients[0]
                            : torch::zeros({query.size(0), heads, value.size(2)}, query.options());
    Tensor dquery = torch::zeros(query.sizes(), query.options()),
           dkey = torch::zeros(key.sizes(), key.options()),
           dvalue = torch::zeros(value.sizes(), value.options());
    Tensor dcarry = ctx->saved_data["carried"].toBool() ? torch::empty_like(weights) : Tensor();
    Tensor dbias = bias_HR.defined() ? torch::zeros_like(bias_HR) : Tensor();
    int64_t at_score = 0;
    for (const AttentionSequence& s : plan.sequences) {
      const int64_t m = s.seen_keys(), size = heads * s.queries * m;
      if (size == 0) continue;
      const Tensor weight_HNM = weights.narrow(0, at_score, size).view({heads, s.queries, m});
      const Tensor dout_HNE = query_heads(dout, s);
      const auto put = [&](Tensor& to_SHE, const Tensor& from_HME) {
        Tensor rows = to_SHE.narrow(0, s.key_begin, s.keys);
        if (s.has_holes) {
          rows.index_copy_(0, torch::tensor(s.kept, torch::kInt64), from_HME.transpose(0, 1));
        } else {
          rows.copy_(from_HME.transpose(0, 1));
        }
      };
      put(dvalue, at::bmm(dropped(weight_HNM, s, plan).transpose(1, 2), dout_HNE));
      Tensor dscore_HNM = dropped(at::bmm(dout_HNE, seen_heads(value, s).transpose(1, 2)), s, plan);
      with_scalar(query, [&](auto zero) {
        softmax_backward_in_place<decltype(zero)>(weight_HNM, dscore_HNM, s);
      });
      if (dbias.defined()) add_bias_gradient(dbias, dscore_HNM, s, plan.bias->reach);
      if (gradients[1].defined())
        dscore_HNM.add_(gradients[1].narrow(0, at_score, size).view_as(dscore_HNM));
      if (dcarry.defined()) dcarry.narrow(0, at_score, size).copy_(dscore_HNM.flatten());
      at_score += size;
      query_heads(dquery, s).copy_(at::bmm(dscore_HNM, seen_heads(key, s)).mul_(plan.scale));
      put(dkey, at::bmm(dscore_HNM.transpose(1, 2), query_heads(query, s)).mul_(plan.scale));
    }
    return {dquery, dkey, dvalue, dcarry, dbias, {}};
  }
};

bool all_flash(const SoftmaxPlan& plan, const Tensor& carry) {
  return !carry.defined() && !plan.hand_on_scores && !plan.bias && plan.dropout == 0 &&
         std::all_of(plan.sequences.begin(), plan.sequences.end(), flash_honours);
}

Tensor flash_forward(const Tensor& query, const Tensor& key, const Tensor& value,
                     const SoftmaxPlan& plan) {
  Tensor context_THE = torch::empty(query.sizes(), query.options());
  for (const AttentionSequence& s : plan.sequences) {
    if (s.queries == 0) continue;
    const auto batched = [](const Tensor& x_HNE) { return x_HNE.unsqueeze(0); };
    const auto result = at::_scaled_dot_product_flash_attention_for_cpu(
        batched(query_heads(query, s)), batched(seen_heads(key, s)), batched(seen_heads(value, s)),
        0.0, s.kind == See::past && s.queries > 1, {}, plan.scale);
    query_heads(context_THE, s).copy_(std::get<0>(result)[0]);
  }
  return context_THE;
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
  if (!grad && softmax_bf16_serves(query_THE, key_SHE, value_SHE, carry, plan))
    return {softmax_bf16(query_THE, key_SHE, value_SHE, plan), {}};
  if (!grad && value_SHE.size(2) == query_THE.size(2) && all_flash(plan, carry))
    return {flash_forward(query_THE, key_SHE, value_SHE, plan), {}};
  const at::ScalarType given = query_THE.scalar_type(),
                       inside = given == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor query = query_THE.to(inside), key = key_SHE.to(inside), value = value_SHE.to(inside);
  const Tensor bias_HR = plan.bias ? plan.bias->by_offset_HR.to(inside) : Tensor();
  if (!grad) {
    FastForward out = fast_forward(query, key, value, carry, bias_HR, plan, false);
    return {out.context_THE.to(given), plan.hand_on_scores ? out.flat_scores : Tensor()};
  }
  const auto results =
      FastSoftmax::apply(query, key, value, as_optional(carry), as_optional(bias_HR),
                         c10::make_intrusive<PlanHolder>(plan));
  return {results[0].to(given), plan.hand_on_scores ? results[1] : Tensor()};
}

}  // namespace tenfold::nn

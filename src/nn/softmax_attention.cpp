// The built-in attention kind: plans a pass, keeps keys and values while decoding.
// Not here: the arithmetic (softmax_fast.cpp, softmax_batched.cpp).
#include "nn/softmax_attention.h"

#include "support/fail.h"

namespace tenfold::nn {
namespace {

SoftmaxOut softmax(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                   const Tensor& carry, const SoftmaxPlan& plan) {
  return query_THE.device().is_cpu() ? softmax_fast(query_THE, key_SHE, value_SHE, carry, plan)
                                     : softmax_batched(query_THE, key_SHE, value_SHE, carry, plan);
}

}  // namespace

SoftmaxPlan SoftmaxPlan::of(const AttentionContext& context) {
  SoftmaxPlan plan;
  plan.sequences = attention_sequences(context);
  plan.bias = context.bias;
  return plan;
}

SoftmaxAttention::SoftmaxAttention(const AttentionShape& shape, const config::NoOptions&,
                                   uint64_t seed, torch::TensorOptions tensor_options)
    : ProjectedAttention(shape, seed, tensor_options) {}

AttentionTraits SoftmaxAttention::traits_of(const config::NoOptions&) {
  return {.kinds = {See::all, See::past, See::future, See::prefix, See::others},
          .incremental = true,
          .bias = true,
          .carry = true,
          .cross = true,
          .exposes_scores = true};
}

namespace {

std::shared_ptr<const Carry> carry_of(const SoftmaxOut& out) {
  if (!out.flat_scores.defined()) return nullptr;
  return std::make_shared<Carry>(Carry{.tensors = {out.flat_scores}});
}

}  // namespace

AttentionTraits SoftmaxAttention::traits() const { return traits_of({}); }

std::unique_ptr<AttentionMemory> SoftmaxAttention::new_memory(int64_t count,
                                                              int64_t capacity) const {
  return std::make_unique<SlotTable>(count, capacity);
}

AttentionOut SoftmaxAttention::mix(const Tensor& query_THE, const Tensor& key_SHE,
                                   const Tensor& value_SHE, const AttentionIn& in) const {
  if (in.memory != nullptr) return mix_with_memory(query_THE, key_SHE, value_SHE, in);
  SoftmaxPlan plan = SoftmaxPlan::of(in.context);
  plan.scale = scale();
  plan.site = in.site;
  plan.row_keys_T = in.context.row_keys_T;
  plan.dropout = in.context.pass.training ? shape().dropout : 0.0;
  plan.hand_on_scores = shape().residual_scores;
  const Tensor carry = in.carry ? in.carry->tensors.at(0) : Tensor();
  const SoftmaxOut out = softmax(query_THE, key_SHE, value_SHE, carry, plan);
  return {out.context_THE, carry_of(out)};
}

AttentionOut SoftmaxAttention::mix_with_memory(const Tensor& query_THE, const Tensor& key_SHE,
                                               const Tensor& value_SHE,
                                               const AttentionIn& in) const {
  auto* table = dynamic_cast<SlotTable*>(in.memory);
  require(table != nullptr, ErrorKind::internal, "attention",
          "softmax attention was given another kind's memory");
  const AttentionContext& context = in.context;
  const int64_t count = context.query_layout.count(), channels = shape().heads * shape().head_size;
  require(table->count() == count, ErrorKind::shape, "attention",
          "the memory has {} rows, the batch {}", table->count(), count);
  SoftmaxPlan plan;
  plan.scale = scale();
  plan.bias = context.bias;
  plan.hand_on_scores = shape().residual_scores;
  std::vector<Tensor> keys, values;
  int64_t key_begin = 0;
  for (int64_t b = 0; b < count; ++b) {
    const int64_t past = context.past.empty() ? 0 : context.past[static_cast<size_t>(b)];
    if (in.keys == KeysFrom::given && context.source_layout.length(b) > 0) {
      const int64_t begin = context.source_layout.begin(b), n = context.source_layout.length(b);
      const auto rows = [&](const Tensor& x) {
        return x.narrow(0, begin, n).reshape({n, channels});
      };
      table->append(
          b, in.side == Side::self ? past : 0, rows(key_SHE), rows(value_SHE),
          context.mask.keep_S.defined() ? context.mask.keep_S.narrow(0, begin, n) : Tensor());
    }
    AttentionSequence s{.query_begin = context.query_layout.begin(b),
                        .queries = context.query_layout.length(b),
                        .key_begin = key_begin,
                        .keys = s.queries == 0 ? 0 : table->length(b),
                        .past = past,
                        .kind = context.mask.kind(b),
                        .source = source_of(context.mask, b),
                        .kept = {}};
    if (s.keys > 0) {
      leave_out_holes(s, table->keep(b));
      keys.push_back(table->keys(b));
      values.push_back(table->values(b));
    }
    key_begin += s.keys;
    plan.sequences.push_back(std::move(s));
  }
  const auto joined = [&](const std::vector<Tensor>& parts) {
    if (parts.empty()) return query_THE.narrow(0, 0, 0);
    return (parts.size() == 1 ? parts[0] : at::cat(parts))
        .view({-1, shape().heads, shape().head_size});
  };
  const Tensor carry = in.carry ? in.carry->tensors.at(0) : Tensor();
  const SoftmaxOut out = softmax(query_THE, joined(keys), joined(values), carry, plan);
  return {out.context_THE, carry_of(out)};
}

}  // namespace tenfold::nn

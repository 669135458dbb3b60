// The built-in attention kind: plans a pass, keeps keys and values while decoding.
// Not here: the arithmetic (softmax_fast.cpp, softmax_batched.cpp).
#include "nn/softmax_attention.h"

#include "support/fail.h"

namespace tenfold::nn {
namespace {

/// What is given joins the memory.
void remember(const AttentionIn& in, SlotTable& table, const Tensor& key_SHE,
              const Tensor& value_SHE, const HeadSizes& sizes) {
  const AttentionContext& context = in.context;
  for (int64_t b = 0; b < table.count(); ++b) {
    const int64_t begin = context.source_layout.begin(b), n = context.source_layout.length(b);
    if (n == 0) continue;
    const int64_t past =
        in.side == Side::self && !context.past.empty() ? context.past[static_cast<size_t>(b)] : 0;
    table.append(
        b, past, key_SHE.narrow(0, begin, n).reshape({n, sizes.heads * sizes.key_size}),
        value_SHE.narrow(0, begin, n).reshape({n, sizes.heads * sizes.value_size}),
        context.mask.keep_S.defined() ? context.mask.keep_S.narrow(0, begin, n) : Tensor());
  }
}

SlotTable& table_of(const AttentionIn& in) {
  auto* table = dynamic_cast<SlotTable*>(in.memory);
  require(table != nullptr, ErrorKind::internal, "attention",
          "attention over keys and values was given another kind's memory");
  const int64_t count = in.context.query_layout.count();
  require(table->count() == count, ErrorKind::shape, "attention",
          "the memory has {} rows, the batch {}", table->count(), count);
  return *table;
}

AskedKeys keys_in_memory(const AttentionIn& in, const Tensor& key_SHE, const Tensor& value_SHE,
                         const HeadSizes& sizes) {
  const AttentionContext& context = in.context;
  SlotTable& table = table_of(in);
  if (in.keys == KeysFrom::given) remember(in, table, key_SHE, value_SHE, sizes);
  AskedKeys asked;
  std::vector<Tensor> keys, values;
  int64_t key_begin = 0;
  for (int64_t b = 0; b < table.count(); ++b) {
    AttentionSequence s{.query_begin = context.query_layout.begin(b),
                        .queries = context.query_layout.length(b),
                        .key_begin = key_begin,
                        .keys = s.queries == 0 ? 0 : table.length(b),
                        .past = context.past.empty() ? 0 : context.past[static_cast<size_t>(b)],
                        .kind = context.mask.kind(b),
                        .source = source_of(context.mask, b),
                        .kept = {}};
    if (s.keys > 0) {
      leave_out_holes(s, table.keep(b));
      keys.push_back(table.keys(b));
      values.push_back(table.values(b));
    }
    key_begin += s.keys;
    asked.plan.sequences.push_back(std::move(s));
  }
  const auto joined = [&](const std::vector<Tensor>& parts, int64_t size) {
    if (parts.empty()) return torch::zeros({0, sizes.heads, size}, in.query_TD.options());
    return (parts.size() == 1 ? parts[0] : at::cat(parts)).view({key_begin, sizes.heads, size});
  };
  asked.key_SHE = joined(keys, sizes.key_size);
  asked.value_SHE = joined(values, sizes.value_size);
  asked.plan.bias = context.bias;
  return asked;
}

}  // namespace

SoftmaxPlan SoftmaxPlan::of(const AttentionContext& context) {
  SoftmaxPlan plan;
  plan.sequences = attention_sequences(context);
  plan.bias = context.bias;
  return plan;
}

AskedKeys asked_keys(const AttentionIn& in, const Tensor& key_SHE, const Tensor& value_SHE,
                     const HeadSizes& sizes, double dropout) {
  if (in.memory != nullptr) return keys_in_memory(in, key_SHE, value_SHE, sizes);
  AskedKeys asked{key_SHE, value_SHE, SoftmaxPlan::of(in.context)};
  asked.plan.site = in.site;
  asked.plan.row_keys_T = in.context.row_keys_T;
  asked.plan.dropout = in.context.pass.training ? dropout : 0.0;
  return asked;
}

SoftmaxOut softmax_attention(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const Tensor& carry,
                             const SoftmaxPlan& plan) {
  return query_THE.device().is_cpu() ? softmax_fast(query_THE, key_SHE, value_SHE, carry, plan)
                                     : softmax_batched(query_THE, key_SHE, value_SHE, carry, plan);
}

std::shared_ptr<const Carry> carry_of(const SoftmaxOut& out) {
  if (!out.flat_scores.defined()) return nullptr;
  return std::make_shared<Carry>(Carry{.tensors = {out.flat_scores}});
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

AttentionTraits SoftmaxAttention::traits() const { return traits_of({}); }

std::unique_ptr<AttentionMemory> SoftmaxAttention::new_memory(int64_t count,
                                                              int64_t capacity) const {
  return std::make_unique<SlotTable>(count, capacity);
}

AttentionOut SoftmaxAttention::mix(const Tensor& query_THE, const Tensor& key_SHE,
                                   const Tensor& value_SHE, const AttentionIn& in) const {
  AskedKeys asked = asked_keys(
      in, key_SHE, value_SHE,
      {.heads = shape().heads, .key_size = shape().head_size, .value_size = shape().head_size},
      shape().dropout);
  asked.plan.scale = scale();
  asked.plan.hand_on_scores = shape().residual_scores;
  const Tensor carry = in.carry ? in.carry->tensors.at(0) : Tensor();
  const SoftmaxOut out =
      softmax_attention(query_THE, asked.key_SHE, asked.value_SHE, carry, asked.plan);
  return {out.context_THE, carry_of(out)};
}

}  // namespace tenfold::nn

// The built-in attention kind: plans a pass, keeps keys and values while decoding.
// Not here: the arithmetic (softmax_fast.cpp, softmax_batched.cpp).
#include "nn/softmax_attention.h"

#include "nn/asked_rows.h"
#include "nn/attention_observer.h"
#include "support/fail.h"

namespace tenfold::nn {
namespace {

/// Shows the observer the definition's scores and weights.
void observe(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
             const Tensor& carry, SoftmaxPlan plan) {
  const torch::NoGradGuard no_grad;
  plan.hand_on_scores = false;
  plan.dropout = 0.0;
  const auto wide = [](const Tensor& x) {
    return x.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  };
  softmax_reference(wide(query_THE), wide(key_SHE), wide(value_SHE), carry, plan);
}

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
  AskedKeys asked = in.memory != nullptr
                        ? keys_in_memory(in, key_SHE, value_SHE, sizes)
                        : AskedKeys{key_SHE, value_SHE, SoftmaxPlan::of(in.context)};
  asked.plan.observer = in.context.observer;
  asked.plan.layer = in.layer;
  asked.plan.side = in.side;
  if (in.memory != nullptr) return asked;
  asked.plan.site = in.site;
  asked.plan.row_keys_T = in.context.row_keys_T;
  asked.plan.dropout = in.context.pass.training ? dropout : 0.0;
  return asked;
}

SoftmaxOut softmax_attention(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const Tensor& carry,
                             const SoftmaxPlan& plan) {
  if (plan.observer != nullptr) observe(query_THE, key_SHE, value_SHE, carry, plan);
  return query_THE.device().is_cpu() ? softmax_fast(query_THE, key_SHE, value_SHE, carry, plan)
                                     : softmax_batched(query_THE, key_SHE, value_SHE, carry, plan);
}

void set_carry(SoftmaxPlan& plan, const AttentionShape& shape) {
  if (!shape.residual_scores) return;
  plan.hand_on_scores = shape.carry_run.hands_on();
  plan.factor = shape.carry_run.factor();
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
          .exposes_scores = true,
          .carry_mean = true,
          .free_queries = true};
}

namespace {

int64_t score_bytes(const SoftmaxPlan& plan, int64_t heads) {
  int64_t pairs = 0;
  for (const AttentionSequence& s : plan.sequences) pairs += s.queries * s.seen_keys();
  return pairs * heads * static_cast<int64_t>(sizeof(float));
}

/// Whether queries and keys are carried in place of scores: the first layer of a run decides.
bool carries_inputs(const Tensor& query_THE, const AttentionIn& in, const SoftmaxPlan& plan) {
  if (in.carry) return in.carry->tensors.size() > 1;
  return plan.hand_on_scores && !at::GradMode::is_enabled() && plan.dropout == 0 &&
         plan.observer == nullptr && query_THE.device().is_cpu() &&
         score_bytes(plan, query_THE.size(1)) > in.context.most_score_bytes;
}

AttentionOut mix_summed(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                        const AttentionIn& in, const SoftmaxPlan& plan) {
  std::vector<Tensor> inputs = in.carry ? in.carry->tensors : std::vector<Tensor>{};
  if (in.asking_P.defined()) {
    for (size_t i = 0; i < inputs.size(); i += 2)  // queries, keys, queries, keys ...
      inputs[i] = inputs[i].index_select(0, in.asking_P);
  }
  AttentionOut out{softmax_summed(query_THE, key_SHE, value_SHE, inputs, plan), nullptr};
  if (!plan.hand_on_scores) return out;
  inputs.push_back(query_THE);
  inputs.push_back(key_SHE);
  out.carry = std::make_shared<Carry>(Carry{.tensors = std::move(inputs)});
  return out;
}

}  // namespace

AttentionTraits SoftmaxAttention::traits() const { return traits_of({}); }

double SoftmaxAttention::flops_of(const AttentionShape& shape, const config::NoOptions&,
                                  const AttentionLoad& load) {
  return projection_flops(shape, load) +
         load.pairs * static_cast<double>(4 * shape.heads * shape.head_size);
}

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
  set_carry(asked.plan, shape());
  if (in.memory == nullptr && carries_inputs(query_THE, in, asked.plan))
    return mix_summed(query_THE, key_SHE, value_SHE, in, asked.plan);
  Tensor carry = in.carry ? in.carry->tensors.at(0) : Tensor();
  if (carry.defined() && in.asking_P.defined())
    carry = asked_scores(carry, in.asking_P, asked.plan.sequences, shape().heads);
  const SoftmaxOut out =
      softmax_attention(query_THE, asked.key_SHE, asked.value_SHE, carry, asked.plan);
  return {out.context_THE, carry_of(out)};
}

}  // namespace tenfold::nn

// Builds the works: inputs once, then a function without arguments.
// Not here: what any attention kind computes.
//
// T rows, H heads, E head size, D width.
#include "attention_work.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include "data/batch.h"
#include "model/encoder.h"
#include "nn/attention_table.h"
#include "nn/packing.h"
#include "nn/projected_attention.h"
#include "nn/stack.h"
#include "study/cost.h"
#include "support/fail.h"

namespace tenfold::app {
namespace {

/// Projects queries, keys and values, and mixes nothing.
class ValuesAttention final : public nn::ProjectedAttention {
 public:
  ValuesAttention(const nn::AttentionShape& shape, const config::NoOptions&, uint64_t seed,
                  torch::TensorOptions options)
      : ProjectedAttention(shape, seed, options) {}
  static nn::AttentionTraits traits_of(const config::NoOptions&) {
    return {.kinds = {See::all, See::past}};
  }
  static double flops_of(const nn::AttentionShape& shape, const config::NoOptions&,
                         const nn::AttentionLoad& load) {
    return projection_flops(shape, load);
  }
  nn::AttentionTraits traits() const override { return traits_of({}); }
  std::unique_ptr<nn::AttentionMemory> new_memory(int64_t, int64_t) const override {
    fail(ErrorKind::unsupported, "bench attention", "values alone remember nothing");
  }

 protected:
  nn::AttentionOut mix(const Tensor&, const Tensor&, const Tensor& value_SHE,
                       const nn::AttentionIn&) const override {
    return {value_SHE, nullptr};
  }
};

nn::AttentionContext context_of(const AttentionWork& work) {
  const auto layout = SequenceLayout::of_lengths(work.lengths);
  return {.query_layout = layout,
          .source_layout = layout,
          .mask = {.see = {work.see}, .source = {}, .keep_S = {}},
          .bias = nullptr,
          .past = {},
          .pass = PassContext::evaluation(),
          .row_keys_T = {}};
}

nn::AttentionShape work_shape(const AttentionWork& work) {
  return {.width = kWorkHeads * kWorkHeadSize,
          .heads = kWorkHeads,
          .head_size = kWorkHeadSize,
          .longest = *std::max_element(work.lengths.begin(), work.lengths.end())};
}

std::shared_ptr<nn::Attention> attention_of(const AttentionWork& work) {
  return nn::make_attention(work.choice, work_shape(work), 0, torch::TensorOptions());
}

Tensor leaf(at::IntArrayRef sizes, at::ScalarType type) {
  return torch::randn(sizes).to(type).requires_grad_();
}

void clear(const std::vector<Tensor>& leaves) {
  for (Tensor x : leaves) x.mutable_grad() = Tensor();
}

struct HeadRows {
  Tensor query_THE, key_THE, value_THE;
  std::vector<Tensor> leaves() const { return {query_THE, key_THE, value_THE}; }
};

HeadRows head_rows(const AttentionWork& work) {
  torch::manual_seed(0);
  const std::vector<int64_t> sizes{
      std::accumulate(work.lengths.begin(), work.lengths.end(), int64_t{0}), kWorkHeads,
      kWorkHeadSize};
  return {leaf(sizes, work.type), leaf(sizes, work.type), leaf(sizes, work.type)};
}

Tensor flash_contexts(const HeadRows& rows, const AttentionWork& work) {
  const auto layout = SequenceLayout::of_lengths(work.lengths);
  const auto queries = layout.split(rows.query_THE), keys = layout.split(rows.key_THE),
             values = layout.split(rows.value_THE);
  std::vector<Tensor> contexts;
  const auto heads = [](const Tensor& x_NHE) { return x_NHE.transpose(0, 1).unsqueeze(0); };
  for (size_t b = 0; b < queries.size(); ++b) {
    contexts.push_back(at::scaled_dot_product_attention(heads(queries[b]), heads(keys[b]),
                                                        heads(values[b]), {}, 0.0,
                                                        work.see == See::past)
                           .squeeze(0)
                           .transpose(0, 1));
  }
  return contexts.size() == 1 ? contexts[0] : at::cat(contexts);
}

/// What mixes head rows of one context that it keeps.
using Mixing = std::function<Tensor(const HeadRows&)>;

Mixing mixing_of(const AttentionWork& work) {
  if (work.kind == kFlashKind)
    return [work](const HeadRows& rows) { return flash_contexts(rows, work); };
  const auto attention = std::dynamic_pointer_cast<nn::ProjectedAttention>(attention_of(work));
  if (attention == nullptr) return {};
  return [attention, context = context_of(work)](const HeadRows& rows) {
    const Tensor row_TD = rows.query_THE.detach().flatten(1);
    return attention
        ->mix_heads(rows.query_THE, rows.key_THE, rows.value_THE,
                    {.context = context, .query_TD = row_TD, .source_SD = row_TD, .carry = nullptr})
        .context_TD;
  };
}

}  // namespace

void add_values_kind() {
  nn::attention_table().add(nn::attention_kind<ValuesAttention, config::NoOptions>(
      kValuesKind, "values as they are", "arXiv 2009.14794"));
}

std::function<void()> mixing_work(const AttentionWork& work) {
  const Mixing mixing = mixing_of(work);
  if (!mixing) return {};
  return [mixing, rows = head_rows(work)] {
    mixing(rows).sum().backward();
    clear(rows.leaves());
  };
}

double softmax_disagreement(const AttentionWork& work) {
  const HeadRows rows = head_rows(work);
  const Tensor ours_TD = mixing_of(work)(rows).detach();  // the path of training, gradients on
  const Tensor theirs_TD = flash_contexts(rows, work).detach().reshape(ours_TD.sizes());
  return (ours_TD - theirs_TD).abs().max().item<double>();
}

std::function<void()> layer_work(const AttentionWork& work) {
  require(work.kind != kFlashKind, ErrorKind::internal, "bench attention",
          "the yardstick has no layer");
  torch::manual_seed(0);
  const auto attention = attention_of(work);
  std::vector<Tensor> leaves = attention->parameters();
  const auto context = std::make_shared<nn::AttentionContext>(context_of(work));
  leaves.push_back(leaf({context->query_layout.total(), kWorkHeads * kWorkHeadSize}, work.type));
  return [=, x_TD = leaves.back()] {
    attention->forward({.context = *context, .query_TD = x_TD, .source_SD = x_TD, .carry = nullptr})
        .context_TD.sum()
        .backward();
    clear(leaves);
  };
}

std::function<void()> decode_work(const AttentionWork& work) {
  constexpr int64_t kLayers = 6, kWidth = kWorkHeads * kWorkHeadSize,
                    kDecodedTokens = 64;  // before growing kinds start again
  const int64_t past = work.lengths.at(0);
  nn::StackSpec spec;
  spec.width = kWidth;
  spec.heads = kWorkHeads;
  spec.intermediate_size = 4 * kWidth;
  spec.longest = past + kDecodedTokens;
  spec.runs = {{.count = kLayers, .attention = work.choice}};
  const auto stack = std::make_shared<nn::Stack>(spec, 0, torch::TensorOptions());
  stack->eval();
  stack->compute_in(work.type);
  nn::pack_for_inference(*stack, work.type);
  // Kinds with scores keep every key; the memory of the others does not grow, and need not go back.
  const bool grows = nn::attention_traits(work.choice).exposes_scores;
  const auto state = std::make_shared<nn::DecodeState>(
      stack->new_state(1, past + (grows ? kDecodedTokens : int64_t{1} << 32)));
  const auto step = [stack, state](int64_t tokens) {
    const torch::NoGradGuard no_gradients;
    stack->forward({.hidden_TD = torch::randn({tokens, kWidth}),
                    .layout = SequenceLayout::of_lengths({tokens}),
                    .mask = {.see = {See::past}, .source = {}, .keep_S = {}},
                    .pass = PassContext::evaluation(),
                    .source_SD = {},
                    .bias = nullptr,
                    .state = state.get()});
    state->commit({tokens});
  };
  torch::manual_seed(0);
  step(past);
  return [step, state, past, grows] {
    if (grows && state->past[0] == past + kDecodedTokens) state->truncate({past});
    step(1);
  };
}

namespace {

model::EncoderConfig bert_base(const AttentionWork& work) {
  model::EncoderConfig config;
  config.max_position_embeddings = *std::max_element(work.lengths.begin(), work.lengths.end());
  config.attention = work.choice;
  config.validate("bench attention");
  return config;
}

nn::AttentionLoad load_of(const AttentionWork& work) {
  nn::AttentionLoad load{.see = work.see};
  for (const int64_t n : work.lengths) {
    const auto tokens = static_cast<double>(n);
    load.tokens += tokens;
    load.pairs += work.see == See::past ? tokens * (tokens + 1) / 2 : tokens * tokens;
  }
  return load;
}

}  // namespace

std::function<void()> encoder_work(const AttentionWork& work) {
  const model::EncoderConfig config = bert_base(work);
  const auto encoder =
      std::make_shared<model::Encoder>(config, model::Pooler::none, 0, torch::TensorOptions());
  encoder->eval();
  nn::compute_in(*encoder, work.type);
  nn::pack_for_inference(*encoder, work.type);
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths(work.lengths);
  block.ids_T =
      torch::arange(block.layout.total(), torch::kInt64).remainder(config.vocab_size - 1000) + 1000;
  block.mask.see = {work.see};
  return [encoder, block] {
    const torch::NoGradGuard no_gradients;
    encoder->forward(block, PassContext::evaluation());
  };
}

double layer_gflops(const AttentionWork& work) {
  return 3e-9 * nn::attention_flops(work.choice, work_shape(work), load_of(work));
}

double mixing_gflops(const AttentionWork& work) {
  return layer_gflops(work) -
         3e-9 * nn::ProjectedAttention::projection_flops(work_shape(work), load_of(work));
}

double encoder_gflops(const AttentionWork& work) {
  const nn::AttentionLoad load = load_of(work);
  return 1e-9 *
         study::forward_flops(bert_base(work), {.tokens = load.tokens, .attended = load.pairs});
}

}  // namespace tenfold::app

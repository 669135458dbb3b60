// Scores carried from layer to layer (RealFormer, arXiv 2012.11747): the sum and the mean by their
// definition, in every form, under every mask, across cross-attention, decoding and recomputation.
// Not here: goldens (softmax_attention_test.cpp) or recipes (src/methods/realformer).
#include "attention_fixture.h"
#include "nn/decode_state.h"
#include "nn/stack.h"
#include "small_stack.h"
#include "support/fail.h"
#include "tensor/gradient_check.h"

namespace tenfold::nn::testing {
namespace {

/// Queries, keys and values of `layers` layers under one plan of ragged sequences with holes.
struct Layers {
  SoftmaxPlan plan;
  std::vector<Tensor> query, key, value;

  SoftmaxPlan plan_of(size_t layer, bool mean) const {
    SoftmaxPlan own = plan;
    own.factor = mean ? 1.0 / static_cast<double>(layer + 1) : 1.0;
    own.hand_on_scores = layer + 1 < query.size();
    return own;
  }
};

Layers make_layers(size_t count, See see, at::ScalarType dtype) {
  const Batch batch = make_batch({4, 1, 0, 9, 6}, {see});
  AttentionContext context = context_of(batch);
  context.mask.keep_S = torch::ones({20}, torch::kBool);
  for (const int64_t hole : {2, 4, 7, 13}) context.mask.keep_S[hole] = false;
  Layers layers;
  layers.plan = SoftmaxPlan::of(context);
  layers.plan.scale = 0.5;
  for (size_t l = 0; l < count; ++l) {
    for (auto* list : {&layers.query, &layers.key, &layers.value}) {
      const auto seed = static_cast<uint64_t>(3 * l + (list == &layers.key ? 1 : 0) +
                                              (list == &layers.value ? 2 : 0));
      list->push_back(random_rows(20, 12, 100 + seed, dtype).view({20, 3, 4}));
    }
  }
  return layers;
}

/// Outputs of all layers by the definition: all products of the layers up to it are summed anew.
std::vector<Tensor> by_definition(const Layers& layers, bool mean) {
  std::vector<Tensor> out;
  const auto wide = [](const Tensor& x) { return x.to(torch::kDouble); };
  for (size_t l = 0; l < layers.query.size(); ++l) {
    SoftmaxPlan plan = layers.plan;
    plan.scale = mean ? plan.scale / static_cast<double>(l + 1) : plan.scale;
    std::vector<Tensor> queries, keys;
    for (size_t t = 0; t <= l; ++t) {
      queries.push_back(wide(layers.query[t]));
      keys.push_back(wide(layers.key[t]));
    }
    out.push_back(
        softmax_reference(at::cat(queries, 2), at::cat(keys, 2), wide(layers.value[l]), {}, plan)
            .context_THE);
  }
  return out;
}

void expect_near(const Tensor& got, const Tensor& expected, at::ScalarType dtype,
                 const std::string& what) {
  EXPECT_LE(worst(got.to(torch::kDouble), expected), dtype == at::kDouble ? 1e-12 : 1e-5) << what;
}

TEST(CarriedScores, EveryFormEqualsTheSumOfAllProducts) {
  for (const auto& [count, see] :
       {std::pair(size_t{2}, See::past), std::pair(size_t{12}, See::all),
        std::pair(size_t{24}, See::all), std::pair(size_t{3}, See::future),
        std::pair(size_t{3}, See::prefix), std::pair(size_t{3}, See::others)}) {
    for (const bool mean : {false, true}) {
      for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
        const Layers layers = make_layers(count, see, dtype);
        const std::vector<Tensor> expected = by_definition(layers, mean);
        for (const bool grad : {true, false}) {
          const torch::AutoGradMode mode(grad);
          for (auto* form : {softmax_fast, softmax_batched, softmax_reference}) {
            Tensor carry;
            for (size_t l = 0; l < count; ++l) {
              const SoftmaxOut out = form(layers.query[l], layers.key[l], layers.value[l], carry,
                                          layers.plan_of(l, mean));
              expect_near(out.context_THE, expected[l], dtype, "layer " + std::to_string(l));
              EXPECT_EQ(out.flat_scores.defined(), l + 1 < count);
              carry = out.flat_scores;
            }
          }
        }
        const torch::NoGradGuard no_grad;
        std::vector<Tensor> below;
        for (size_t l = 0; l < count; ++l) {
          expect_near(softmax_summed(layers.query[l], layers.key[l], layers.value[l], below,
                                     layers.plan_of(l, mean)),
                      expected[l], dtype, "summed, layer " + std::to_string(l));
          below.push_back(layers.query[l]);
          below.push_back(layers.key[l]);
        }
      }
    }
  }
}

TEST(CarriedScores, PiecesOfLongSequencesEqualTheDefinition) {
  // 700 keys: a head is cut into several pieces of queries, with every mask kind at the cuts.
  const torch::NoGradGuard no_grad;
  for (const See see : kAllKinds) {
    AttentionContext context = context_of(make_batch({700, 3}, {see}));
    context.mask.keep_S = torch::ones({703}, torch::kBool);
    context.mask.keep_S.narrow(0, 90, 20).fill_(false);
    SoftmaxPlan plan = SoftmaxPlan::of(context);
    plan.scale = 0.5;
    const auto rows = [](uint64_t seed) { return random_rows(703, 12, seed).view({703, 3, 4}); };
    plan.hand_on_scores = true;
    const SoftmaxOut first = softmax_fast(rows(1), rows(2), rows(3), {}, plan);
    const SoftmaxOut wanted = softmax_reference(rows(1), rows(2), rows(3), {}, plan);
    EXPECT_LE(worst(first.context_THE, wanted.context_THE), 1e-12) << kind_name(see);
    plan.hand_on_scores = false;
    plan.factor = 0.5;
    const Tensor expected =
        softmax_reference(rows(4), rows(5), rows(6), wanted.flat_scores, plan).context_THE;
    const Tensor carried =
        softmax_fast(rows(4), rows(5), rows(6), first.flat_scores, plan).context_THE;
    EXPECT_LE(worst(carried, expected), 1e-12) << kind_name(see);
    EXPECT_LE(worst(softmax_summed(rows(4), rows(5), rows(6), {rows(1), rows(2)}, plan), expected),
              1e-12)
        << kind_name(see);
  }
}

TEST(CarriedScores, HoldRawScoresWhateverTheMask) {
  // The scores handed on by the second layer, at the keys that the mask leaves.
  Layers layers = make_layers(3, See::all, at::kDouble);
  const SoftmaxPlan with_holes = layers.plan;
  const auto scores = [&](const SoftmaxPlan& plan) {
    layers.plan = plan;
    Tensor carry;
    for (size_t l = 0; l < 2; ++l) {
      carry = softmax_fast(layers.query[l], layers.key[l], layers.value[l], carry,
                           layers.plan_of(l, true))
                  .flat_scores;
    }
    return carry;
  };
  const Tensor masked = scores(with_holes);
  SoftmaxPlan open = with_holes, causal = with_holes;
  for (AttentionSequence& s : open.sequences) {
    s.has_holes = false;
    s.kept.clear();
  }
  for (AttentionSequence& s : causal.sequences) s.kind = See::past;
  EXPECT_EQ(worst(scores(causal), masked), 0.0) << "the kind of mask is no part of the carry";
  const Tensor whole = scores(open);
  int64_t at = 0, at_masked = 0;
  for (const AttentionSequence& s : with_holes.sequences) {
    const Tensor full_HNM =
        whole.narrow(0, at, 3 * s.queries * s.keys).view({3, s.queries, s.keys});
    const Tensor kept_HNM = masked.narrow(0, at_masked, 3 * s.queries * s.seen_keys())
                                .view({3, s.queries, s.seen_keys()});
    at += full_HNM.numel();
    at_masked += kept_HNM.numel();
    if (!s.has_holes) continue;
    EXPECT_LE(worst(full_HNM.index_select(2, torch::tensor(s.kept, torch::kInt64)), kept_HNM),
              1e-15);
  }
}

StackSpec residual_spec(int64_t layers, bool mean) {
  return {
      .width = 12,
      .heads = 3,
      .intermediate_size = 20,
      .initializer_range = 0.3,
      .runs = {
          {.count = layers, .attention = {}, .residual_attention = true, .residual_mean = mean}}};
}

StackIn input_of(const Batch& batch, const Tensor& x, bool training = false) {
  return {.hidden_TD = x,
          .layout = batch.layout,
          .mask = batch.mask,
          .pass = {.training = training, .key = 5, .example_keys = batch.examples},
          .source_SD = {},
          .bias = nullptr,
          .all_hidden = true};
}

TEST(CarriedScores, OfOneLayerAreThePlainPathBitForBit) {
  const Batch batch = make_batch({5, 0, 9}, {See::all});
  StackSpec plain = residual_spec(1, false);
  plain.runs[0].residual_attention = false;
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    for (const bool mean : {false, true}) {
      for (const bool grad : {true, false}) {
        const torch::AutoGradMode mode(grad);
        const auto out = [&](const StackSpec& spec) {
          return Stack(spec, 1, dtype)
              .forward(input_of(batch, random_rows(14, 12, 3, dtype)))
              .hidden_TD;
        };
        EXPECT_TRUE(torch::equal(out(residual_spec(1, mean)), out(plain)));
      }
    }
  }
}

TEST(CarriedScores, OfZeroChangeNoBit) {
  const Layers layers = make_layers(2, See::all, at::kFloat);
  SoftmaxPlan plan = layers.plan_of(0, false);
  const SoftmaxOut without =
      softmax_fast(layers.query[0], layers.key[0], layers.value[0], {}, plan);
  const SoftmaxOut with = softmax_fast(layers.query[0], layers.key[0], layers.value[0],
                                       torch::zeros_like(without.flat_scores), plan);
  EXPECT_TRUE(torch::equal(with.context_THE, without.context_THE));
  EXPECT_TRUE(torch::equal(with.flat_scores, without.flat_scores));
}

TEST(CarriedScores, HideTheFutureAndHolesThroughAllLayers) {
  for (const bool mean : {false, true}) {
    const Stack stack(residual_spec(3, mean), 1, torch::kFloat64);
    for (const bool grad : {true, false}) {
      const torch::AutoGradMode mode(grad);
      Batch batch = make_batch({6, 8}, {See::past, See::all});
      batch.mask.keep_S = torch::ones({14}, torch::kBool);
      batch.mask.keep_S[8] = false;
      const Tensor x = random_rows(14, 12, 3);
      Tensor other = x.clone();
      other.narrow(0, 4, 2).fill_(50.0);  // the future of row 3
      other[8] = std::numeric_limits<double>::quiet_NaN();
      const Tensor clean = stack.forward(input_of(batch, x)).hidden_TD,
                   changed = stack.forward(input_of(batch, other)).hidden_TD;
      for (const int64_t row : {0, 1, 2, 3, 6, 7, 9, 13})
        EXPECT_EQ(worst(clean[row], changed[row]), 0.0) << row;
    }
  }
}

TEST(CarriedScores, DecodedRowsEqualTheParallelOnesInEveryLayer) {
  const torch::NoGradGuard no_grad;
  for (const bool mean : {false, true}) {
    for (const See see : {See::past, See::prefix}) {
      const Stack stack(residual_spec(4, mean), 1, torch::kFloat64);
      const Tensor x = random_rows(11, 12, 3);
      Batch whole = make_batch({6, 5}, {see});
      const StackOut full = stack.forward(input_of(whole, x));
      DecodeState state = stack.new_state(2, 8);
      for (int64_t step = 0; step < 4; ++step) {
        // The first step brings the sources (3 and 2 tokens); one token a step follows.
        const std::vector<int64_t> counts =
            step == 0 ? std::vector<int64_t>{3, 2} : std::vector<int64_t>{1, 1};
        const std::vector<int64_t> begin{state.past[0], 6 + state.past[1]};
        Batch batch = make_batch(counts, {see});
        batch.mask.source = whole.mask.source;
        StackIn in = input_of(
            batch, at::cat({x.narrow(0, begin[0], counts[0]), x.narrow(0, begin[1], counts[1])}));
        in.state = &state;
        const StackOut out = stack.forward(in);
        ASSERT_EQ(out.all_hidden_TD.size(), 5U);
        for (size_t layer = 0; layer < 5; ++layer) {
          const Tensor wanted = at::cat({full.all_hidden_TD[layer].narrow(0, begin[0], counts[0]),
                                         full.all_hidden_TD[layer].narrow(0, begin[1], counts[1])});
          EXPECT_LE(worst(out.all_hidden_TD[layer], wanted), 1e-12) << "layer " << layer;
        }
        state.commit(counts);
      }
    }
  }
}

TEST(CarriedScores, GradientsOfManyLayersEqualCentralDifferences) {
  for (const bool mean : {false, true}) {
    for (const bool recompute : {false, true}) {
      for (const KeyValueFrom from : {KeyValueFrom::previous_layer, KeyValueFrom::embeddings}) {
        StackSpec spec = residual_spec(3, mean);
        spec.key_value_from = from;
        spec.attention_dropout = spec.hidden_dropout = 0.2;
        Stack stack(spec, 1, torch::kFloat64);
        stack.recompute_in_backward(recompute);
        Batch batch = make_batch({3, 0, 4, 5}, kAllKinds);
        batch.mask.keep_S = torch::ones({12}, torch::kBool);
        batch.mask.keep_S[5] = false;
        Tensor x = random_rows(12, 12, 3).requires_grad_();
        const Tensor weight = random_rows(12, 12, 4);
        std::vector<Tensor> inputs{x};
        for (const Tensor& p : stack.parameters()) inputs.push_back(p);
        const auto loss = [&] {
          return (stack.forward(input_of(batch, x, true)).hidden_TD * weight).sum();
        };
        EXPECT_LE(gradient_error(loss, inputs, {.elements = 3}), 1e-6);
      }
    }
  }
}

std::shared_ptr<Attention> layer_of(CarryRun run, at::ScalarType dtype = at::kDouble) {
  const AttentionShape shape{.width = kWidth,
                             .heads = kHeads,
                             .head_size = kHeadSize,
                             .longest = kLongest,
                             .residual_scores = true,
                             .carry_run = run,
                             .initializer_range = 0.5};
  const AttentionKind& softmax = attention_table().find("softmax");
  return softmax.make(shape, *softmax.options(), 7 + static_cast<uint64_t>(run.place), dtype);
}

/// Three layers of cross-attention that carry scores: queries of 7 rows over sources of 9.
Tensor crossed(const std::vector<std::shared_ptr<Attention>>& layers, const Tensor& query,
               const Tensor& source, int64_t most_score_bytes) {
  AttentionContext context = context_of(make_batch({4, 3}, {See::all}));
  context.source_layout = SequenceLayout::of_lengths({2, 7});
  context.mask.keep_S = torch::ones({9}, torch::kBool);
  context.mask.keep_S[4] = false;
  context.most_score_bytes = most_score_bytes;
  std::shared_ptr<const Carry> carry;
  Tensor sum = torch::zeros({7, kHeads * kHeadSize}, query.options());
  for (const auto& layer : layers) {
    const AttentionOut out = layer->forward({.context = context,
                                             .query_TD = query,
                                             .source_SD = source,
                                             .side = Side::cross,
                                             .carry = carry});
    carry = out.carry;
    sum = sum + out.context_TD.pow(2);
  }
  EXPECT_EQ(carry, nullptr) << "the last layer of the run hands nothing on";
  return sum;
}

TEST(CarriedScores, CrossAttentionHasGradientsAndBothForms) {
  constexpr int64_t kNone = 0, kAny = int64_t{1} << 40;
  for (const bool mean : {false, true}) {
    std::vector<std::shared_ptr<Attention>> layers;
    for (int64_t place = 1; place <= 3; ++place)
      layers.push_back(layer_of({.place = place, .layers = 3, .mean = mean}));
    const Tensor query = random_rows(7, kWidth, 1).requires_grad_(),
                 source = random_rows(9, kWidth, 2).requires_grad_();
    std::vector<Tensor> inputs{query, source};
    for (const auto& layer : layers) {
      for (const Tensor& p : layer->parameters()) inputs.push_back(p);
    }
    EXPECT_LE(gradient_error([&] { return crossed(layers, query, source, kAny).sum(); }, inputs,
                             {.elements = 8}),
              1e-7);
    const Tensor with_gradient = crossed(layers, query, source, kNone).detach();
    const torch::NoGradGuard no_grad;
    EXPECT_LE(worst(crossed(layers, query, source, kAny), with_gradient), 1e-12);
    EXPECT_LE(worst(crossed(layers, query, source, kNone), with_gradient), 1e-12);
  }
}

TEST(CarriedScores, AreQueriesAndKeysWhereScoresWouldNotFit) {
  const torch::NoGradGuard no_grad;
  const auto layer = layer_of({.place = 1, .layers = 2});
  AttentionContext context = context_of(make_batch({6, 5}, {See::past}));
  const Tensor x = random_rows(11, kWidth, 1);
  const auto carried = [&](int64_t bytes) {
    context.most_score_bytes = bytes;
    return layer->forward({.context = context, .query_TD = x, .source_SD = x, .carry = nullptr})
        .carry->tensors;
  };
  const int64_t bytes = kHeads * (6 * 6 + 5 * 5) * 4;
  EXPECT_EQ(carried(bytes).size(), 1U);
  ASSERT_EQ(carried(bytes - 1).size(), 2U);
  EXPECT_EQ(carried(bytes - 1)[0].sizes(), (std::vector<int64_t>{11, kHeads, kHeadSize}));
  const torch::AutoGradMode grad(true);
  EXPECT_EQ(carried(0).size(), 1U) << "gradients flow through scores";
}

TEST(CarriedScores, AreNotKeptForTheBackwardPass) {
  const auto first = layer_of({.place = 1, .layers = 3}),
             second = layer_of({.place = 2, .layers = 3});
  const AttentionContext context = context_of(make_batch({6, 5}, {See::past}));
  const Tensor x = random_rows(11, kWidth, 1).requires_grad_();
  AttentionOut below =
      first->forward({.context = context, .query_TD = x, .source_SD = x, .carry = nullptr});
  const c10::weak_intrusive_ptr<c10::TensorImpl> scores(
      below.carry->tensors.at(0).getIntrusivePtr());
  const AttentionOut above =
      second->forward({.context = context, .query_TD = x, .source_SD = x, .carry = below.carry});
  EXPECT_FALSE(scores.expired());
  below.carry.reset();
  EXPECT_TRUE(scores.expired()) << "score tensors alive do not grow with the layers";
  (above.context_TD.sum() + above.carry->tensors.at(0).sum() + below.context_TD.sum()).backward();
  EXPECT_GT(x.grad().abs().sum().item<double>(), 0.0);
}

TEST(CarriedScores, RecomputationGivesTheSameBits) {
  for (const bool mean : {false, true}) {
    StackSpec spec = residual_spec(3, mean);
    spec.attention_dropout = spec.hidden_dropout = 0.1;
    const auto gradients = [&](bool recompute) {
      Stack stack(spec, 1, torch::kFloat32);
      stack.recompute_in_backward(recompute);
      const Tensor x = random_rows(11, 12, 3, at::kFloat).requires_grad_();
      const Batch batch = make_batch({6, 5}, {See::past, See::all});
      stack.forward(input_of(batch, x, true)).hidden_TD.pow(3).sum().backward();
      std::vector<Tensor> all{x.grad()};
      for (const Tensor& p : stack.parameters()) all.push_back(p.grad());
      return all;
    };
    const auto kept = gradients(false), again = gradients(true);
    for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(torch::equal(kept[i], again[i])) << i;
  }
}

TEST(CarriedScores, StayInFp32WhereLayersComputeInBfloat16) {
  const auto layer = layer_of({.place = 1, .layers = 2}, at::kBFloat16);
  const AttentionContext context = context_of(make_batch({6, 5}, {See::past}));
  const Tensor x = random_rows(11, kWidth, 1, at::kBFloat16);
  for (const bool grad : {true, false}) {
    const torch::AutoGradMode mode(grad);
    const AttentionOut out =
        layer->forward({.context = context, .query_TD = x, .source_SD = x, .carry = nullptr});
    EXPECT_EQ(out.context_TD.scalar_type(), at::kBFloat16);
    EXPECT_EQ(out.carry->tensors.at(0).scalar_type(), at::kFloat);
  }
}

TEST(CarriedScores, ChangeWhatLayersComputeOnlyFromTheSecondOn) {
  const Batch batch = make_batch({5, 9}, {See::all});
  const Tensor x = random_rows(14, 12, 3);
  const auto hidden = [&](bool residual, bool mean) {
    StackSpec spec = residual_spec(3, mean);
    spec.runs[0].residual_attention = residual;
    return Stack(spec, 1, torch::kFloat64).forward(input_of(batch, x)).all_hidden_TD;
  };
  const auto plain = hidden(false, false), sum = hidden(true, false), mean = hidden(true, true);
  EXPECT_LE(worst(sum[1], plain[1]), 1e-12);
  EXPECT_LE(worst(mean[1], plain[1]), 1e-12);
  EXPECT_GT(worst(sum[2], plain[2]), 1e-4);
  EXPECT_GT(worst(mean[2], plain[2]), 1e-4);
  EXPECT_GT(worst(mean[2], sum[2]), 1e-4);
}

TEST(CarriedScores, RunsOfOneKindCountTheirLayersOn) {
  // Two runs of one and two layers are one run of three; a plain run between begins anew.
  const Batch batch = make_batch({5, 9}, {See::all});
  const auto out = [&](const std::vector<StackRun>& runs) {
    StackSpec spec = residual_spec(3, true);
    spec.runs = runs;
    return Stack(spec, 1, torch::kFloat64)
        .forward(input_of(batch, random_rows(14, 12, 3)))
        .hidden_TD;
  };
  const auto run = [](int64_t count, bool residual) {
    return StackRun{
        .count = count, .attention = {}, .residual_attention = residual, .residual_mean = residual};
  };
  EXPECT_EQ(worst(out({run(1, true), run(2, true)}), out({run(3, true)})), 0.0);
  EXPECT_LE(worst(out({run(1, true), run(1, false), run(1, true)}), out({run(3, false)})), 1e-12);
}

}  // namespace
}  // namespace tenfold::nn::testing

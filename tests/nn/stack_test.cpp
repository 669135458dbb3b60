// The stack: parameter names, traits checked at construction, hidden states, decoding, packing,
// fused norm. Not here: attention kinds on their own.
#include "nn/stack.h"

#include "attention_fixture.h"
#include "nn/packing.h"
#include "support/fail.h"
#include "tensor/gradient_check.h"

namespace tenfold::nn::testing {
namespace {

StackSpec small_spec() {
  return {.width = 12,
          .heads = 3,
          .intermediate_size = 20,
          .initializer_range = 0.3,
          .runs = {{.count = 2, .attention = {}}}};
}

TEST(Stack, ParametersCarryHuggingFaceNames) {
  const Stack stack(small_spec(), 1, torch::kFloat32);
  const auto named = stack.named_parameters();
  for (const char* name :
       {"layer.0.attention.self.query.weight", "layer.1.attention.output.dense.bias",
        "layer.0.attention.output.LayerNorm.weight", "layer.1.intermediate.dense.weight",
        "layer.0.output.dense.bias", "layer.1.output.LayerNorm.bias"}) {
    EXPECT_TRUE(named.contains(name)) << name;
  }
  EXPECT_EQ(named.size(), 32U);
}

/// Refuses to form scores: stands for linear-time kinds.
class ScorelessAttention final : public ProjectedAttention {
 public:
  ScorelessAttention(const AttentionShape& shape, const config::NoOptions&, uint64_t seed,
                     torch::TensorOptions options)
      : ProjectedAttention(shape, seed, options) {}
  static AttentionTraits traits_of(const config::NoOptions&) { return {.kinds = {See::all}}; }
  static double flops_of(const AttentionShape& shape, const config::NoOptions&,
                         const AttentionLoad& load) {
    return projection_flops(shape, load);
  }
  AttentionTraits traits() const override { return traits_of({}); }
  std::unique_ptr<AttentionMemory> new_memory(int64_t, int64_t) const override {
    fail(ErrorKind::unsupported, "attention", "cannot be decoded step by step");
  }

 protected:
  AttentionOut mix(const Tensor& query_THE, const Tensor&, const Tensor&,
                   const AttentionIn&) const override {
    return {query_THE, nullptr};
  }
};

TEST(AttentionTable, NamesTheNearestKind) {
  AttentionTable table;
  table.add(attention_kind<ScorelessAttention, config::NoOptions>("scoreless", "none", ""));
  EXPECT_EQ(table.choices().at(0).name, "scoreless");
  EXPECT_THROW(table.add(table.kinds()[0]), Error);
  StackSpec spec = small_spec();
  spec.runs[0].attention.kind = "sofmax";
  try {
    spec.validate("model");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'softmax'"), std::string::npos) << e.what();
  }
}

StackIn stack_input(const Batch& batch, const Tensor& x, bool training = false) {
  return {.hidden_TD = x,
          .layout = batch.layout,
          .mask = batch.mask,
          .pass = {.training = training, .key = 5, .example_keys = batch.examples},
          .source_SD = {},
          .bias = nullptr};
}

TEST(Stack, GradientsEqualCentralDifferences) {
  for (const bool residual : {false, true}) {
    for (const KeyValueFrom from : {KeyValueFrom::previous_layer, KeyValueFrom::embeddings}) {
      StackSpec spec = small_spec();
      spec.key_value_from = from;
      spec.hidden_dropout = 0.2;
      spec.attention_dropout = 0.2;
      spec.runs[0].residual_attention = residual;
      const Stack stack(spec, 1, torch::kFloat64);
      const Batch batch = make_batch({3, 0, 4}, kAllKinds);
      Tensor x = random_rows(7, 12, 3).requires_grad_();
      const Tensor weight = random_rows(7, 12, 4);
      std::vector<Tensor> inputs{x};
      for (const Tensor& p : stack.parameters()) inputs.push_back(p);
      const auto loss = [&] {
        return (stack.forward(stack_input(batch, x, true)).hidden_TD * weight).sum();
      };
      EXPECT_LE(gradient_error(loss, inputs, {.elements = 6}), 1e-6);
    }
  }
}

TEST(Stack, HidesItsOwnTokenThroughAllLayersOfAPinnedSource) {
  StackSpec spec = small_spec();
  spec.runs[0].count = 3;
  spec.key_value_from = KeyValueFrom::embeddings;
  const Stack stack(spec, 1, torch::kFloat64);
  const Batch batch = make_batch({5}, {See::others});
  StackIn in = stack_input(batch, random_rows(5, 12, 1));
  in.source_SD = random_rows(5, 12, 2).requires_grad_();
  const Tensor out = stack.forward(in).hidden_TD;
  for (int64_t i = 0; i < 5; ++i) {
    const Tensor gradient =
        torch::autograd::grad({out[i].pow(3).sum()}, {in.source_SD}, {}, true)[0];
    EXPECT_EQ(gradient[i].abs().sum().item<double>(), 0.0);
    EXPECT_GT(gradient.abs().sum().item<double>(), 0.0);
  }
}

TEST(Stack, DecodesAsInOnePassThroughSelectionAndTransientTokens) {
  const torch::NoGradGuard no_grad;
  const Stack stack(small_spec(), 1, torch::kFloat64);
  const Tensor x = random_rows(6, 12, 3);
  const Batch whole = make_batch({6}, {See::past});
  const Tensor full = stack.forward(stack_input(whole, x)).hidden_TD;
  DecodeState state = stack.new_state(1, 8);
  const auto feed = [&](const Tensor& rows, const std::vector<int64_t>& counts) {
    StackIn in = stack_input(make_batch(counts, {See::past}), rows);
    in.state = &state;
    return stack.forward(in).hidden_TD;
  };
  feed(x.narrow(0, 0, 2), {2});
  state.commit({2});
  state.select({0, 0, 0});  // beams
  const Tensor other = random_rows(1, 12, 9);
  feed(at::cat({other, x.narrow(0, 2, 1), other}), {1, 1, 1});
  state.commit({1, 1, 1});
  state.select({1});
  feed(at::cat({x.narrow(0, 3, 1), other}), {2});  // the second token is shown, not committed
  state.commit({1});
  EXPECT_THROW(feed(random_rows(9, 12, 1), {9}),
               Error);  // beyond the capacity: the state stays as it was
  EXPECT_LE(worst(feed(x.narrow(0, 4, 2), {2}), full.narrow(0, 4, 2)), 1e-12);
  state.truncate({1});
  state.add(1);
  const Tensor again = feed(at::cat({x.narrow(0, 1, 5), x}), {5, 6});
  EXPECT_LE(worst(again.narrow(0, 0, 5), full.narrow(0, 1, 5)), 1e-12);
  EXPECT_LE(worst(again.narrow(0, 5, 6), full), 1e-12);
}

TEST(Stack, PackedWeightsGiveTheSameAndGoStale) {
  StackSpec spec = small_spec();
  spec.width = 48;
  spec.intermediate_size = 96;
  auto stack = std::make_shared<Stack>(spec, 1, torch::kFloat32);
  const torch::NoGradGuard no_grad;
  const Batch batch = make_batch({5, 0, 9, 1}, {See::all});
  const StackIn in = stack_input(batch, random_rows(15, 48, 3, at::kFloat));
  const Tensor plain = stack->forward(in).hidden_TD;
  pack_for_inference(*stack);
  EXPECT_LE(worst(stack->forward(in).hidden_TD, plain), 1e-5);
  for (Tensor p : stack->parameters()) p.mul_(1.5);
  const Tensor changed = stack->forward(in).hidden_TD;
  unpack(*stack);
  EXPECT_EQ(worst(stack->forward(in).hidden_TD, changed), 0.0);
}

TEST(LayerNorm, FusedEqualsReferenceInValueAndGradient) {
  for (const double p : {0.0, 0.3}) {
    const auto layout = SequenceLayout::of_lengths({70, 0, 60});
    const DropoutAt drop{
        .row_keys_T = row_keys({.training = true, .key = 1, .example_keys = {1, 2, 3}}, layout),
        .site = 4,
        .p = p};
    std::vector<Tensor> inputs{random_rows(130, 37, 1), random_rows(130, 37, 2),
                               random_rows(1, 37, 3)[0].clone(), random_rows(1, 37, 4)[0].clone()};
    for (Tensor& t : inputs) t.requires_grad_();
    const auto run_norm = [&](bool fused) {
      const Tensor y = (fused ? residual_layer_norm : residual_layer_norm_reference)(
          inputs[0], inputs[1], inputs[2], inputs[3], 1e-12, drop);
      auto result = torch::autograd::grad({(y * random_rows(130, 37, 5)).sum()}, inputs);
      result.push_back(y.detach());
      return result;
    };
    const auto fused = run_norm(true), reference = run_norm(false);
    for (size_t i = 0; i < fused.size(); ++i) EXPECT_LE(worst(fused[i], reference[i]), 1e-11) << i;
    const torch::NoGradGuard no_grad;
    EXPECT_LE(worst(residual_layer_norm(inputs[0], inputs[1], inputs[2], inputs[3], 1e-12, drop),
                    reference[4]),
              1e-12);
  }
}

}  // namespace
}  // namespace tenfold::nn::testing

// Computing in bfloat16 with fp32 parameters: the attention kernel, norms, products and the
// vocabulary loss against the same arithmetic in double, and a stack as a whole.
// Not here: fp32 and fp64 paths (their own tests).
#include "attention_fixture.h"
#include "cuda.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/onednn.h"
#include "nn/packing.h"
#include "nn/softmax_bf16.h"
#include "nn/stack.h"
#include "nn/vocabulary_loss.h"
#include "small_stack.h"
#include "support/fail.h"

namespace tenfold::nn::testing {
namespace {

constexpr double kHalfStep = 0x1p-9;  // largest relative error of rounding to bfloat16

#define NEEDS_FAST_BFLOAT16() \
  if (!onednn_computes_in(at::kBFloat16)) GTEST_SKIP() << "this processor has no bfloat16"

/// Standard normal numbers that bfloat16 holds exactly.
Tensor narrow_rows(int64_t n, int64_t width, uint64_t seed) {
  return random_rows(n, width, seed, at::kFloat).to(at::kBFloat16);
}

double largest_difference(const Tensor& a, const Tensor& b) {
  return a.numel() == 0 ? 0 : (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

SoftmaxPlan plan_of(See see, const std::vector<int64_t>& queries, const std::vector<int64_t>& keys,
                    const std::vector<int64_t>& past) {
  AttentionContext context{.query_layout = SequenceLayout::of_lengths(queries),
                           .source_layout = SequenceLayout::of_lengths(keys),
                           .mask = {},
                           .bias = nullptr,
                           .past = past,
                           .pass = {},
                           .row_keys_T = {}};
  context.mask.see = {see};
  context.mask.source.assign(queries.size(), 5);
  SoftmaxPlan plan = SoftmaxPlan::of(context);
  plan.scale = 0.125;
  return plan;
}

TEST(BFloat16, AttentionEqualsTheReferenceForEveryKindAndShape) {
  NEEDS_FAST_BFLOAT16();
  // Lengths around the tiles: 6 queries, 16 and 64 keys, pairs of keys; nothing at all; cross
  // sizes.
  const std::vector<int64_t> queries{1, 5, 6, 7, 13, 0, 64, 100, 3, 20},
      keys{1, 5, 6, 17, 13, 4, 64, 131, 0, 33};
  const std::vector<int64_t> past{0, 0, 0, 10, 0, 0, 0, 31, 0, 13};
  for (const See see : {See::all, See::past, See::future, See::prefix, See::others}) {
    for (const int64_t head_size : {32, 64, 96, 128}) {
      const SoftmaxPlan plan = plan_of(see, queries, keys, past);
      const int64_t heads = 3, channels = heads * head_size;
      const auto shaped = [&](int64_t n, uint64_t seed) {
        // A slice of a fused product, as the projections hand it over.
        return narrow_rows(n, 3 * channels, seed).view({n, 3, heads, head_size}).select(1, 1);
      };
      const Tensor query = shaped(219, 1), key = shaped(274, 2), value = shaped(274, 3);
      ASSERT_TRUE(softmax_bf16_serves(query, key, value, {}, plan));
      const Tensor got = softmax_bf16(query, key, value, plan);
      const Tensor want = softmax_reference(query.to(at::kDouble), key.to(at::kDouble),
                                            value.to(at::kDouble), {}, plan)
                              .context_THE;
      // Weights add to 1 and are rounded once, the sum once more; values reach about 4.5.
      EXPECT_LT(largest_difference(got, want), 2 * kHalfStep * 4.5)
          << static_cast<int>(see) << " " << head_size;
    }
  }
}

/// Attention of ragged rows in bfloat16 by padded groups, against the reference in double.
void check_batched(torch::Device device) {
  const std::vector<int64_t> queries{1, 5, 6, 7, 13, 0, 64, 100, 3, 20},
      keys{1, 5, 6, 17, 13, 4, 64, 131, 0, 33};
  const std::vector<int64_t> past{0, 0, 0, 10, 0, 0, 0, 31, 0, 13};
  for (const See see : {See::all, See::past, See::future, See::prefix, See::others}) {
    const SoftmaxPlan plan = plan_of(see, queries, keys, past);
    const auto shaped = [&](int64_t n, uint64_t seed) {
      return narrow_rows(n, 3 * 3 * 64, seed).view({n, 3, 3, 64}).select(1, 1);
    };
    const Tensor query = shaped(219, 1), key = shaped(274, 2), value = shaped(274, 3);
    const Tensor got = softmax_batched(query.to(device), key.to(device), value.to(device), {}, plan)
                           .context_THE.cpu();
    const Tensor want = softmax_reference(query.to(at::kDouble), key.to(at::kDouble),
                                          value.to(at::kDouble), {}, plan)
                            .context_THE;
    EXPECT_LT(largest_difference(got, want), 4 * kHalfStep * 4.5) << static_cast<int>(see);
  }
}

TEST(BFloat16, AttentionByPaddedGroupsEqualsTheReference) { check_batched(torch::kCPU); }

TEST(BFloat16, AttentionByPaddedGroupsOnCudaEqualsTheReference) {
  TENFOLD_NEEDS_CUDA();
  check_batched(torch::kCUDA);
}

TEST(BFloat16, AttentionLeavesToOthersWhatItCannotDo) {
  NEEDS_FAST_BFLOAT16();
  const SoftmaxPlan plan = plan_of(See::all, {4}, {4}, {0});
  const Tensor x = narrow_rows(4, 64, 1).view({4, 2, 32});
  EXPECT_TRUE(softmax_bf16_serves(x, x, x, {}, plan));
  EXPECT_FALSE(softmax_bf16_serves(x, x, x, torch::zeros({32}), plan));
  EXPECT_FALSE(softmax_bf16_serves(x.to(at::kFloat), x.to(at::kFloat), x.to(at::kFloat), {}, plan));
  const Tensor odd = narrow_rows(4, 60, 1).view({4, 2, 30});
  EXPECT_FALSE(softmax_bf16_serves(odd, odd, odd, {}, plan));
  SoftmaxPlan other = plan;
  other.hand_on_scores = true;
  EXPECT_FALSE(softmax_bf16_serves(x, x, x, {}, other));
  other = plan;
  other.sequences[0].has_holes = true;
  EXPECT_FALSE(softmax_bf16_serves(x, x, x, {}, other));
}

TEST(BFloat16, NormsTakeStatisticsAndParameterGradientsInFp32) {
  const int64_t rows = 130, width = 48;
  PassContext pass{.training = true, .key = 7, .example_keys = {3}};
  const DropoutAt drop{
      .row_keys_T = row_keys(pass, SequenceLayout::of_lengths({rows})), .site = 5, .p = 0.2};
  const Tensor x = narrow_rows(rows, width, 1), residual = narrow_rows(rows, width, 2);
  const Tensor slope = narrow_rows(rows, width, 3);
  const Tensor weight = random_rows(1, width, 4, at::kFloat)[0].add(1.5).contiguous(),
               bias = random_rows(1, width, 5, at::kFloat)[0].contiguous();
  const auto run = [&](at::ScalarType type, at::ScalarType parameters) {
    std::vector<Tensor> leaves{x.to(type, false, true), residual.to(type, false, true),
                               weight.to(parameters, false, true),
                               bias.to(parameters, false, true)};
    for (Tensor& leaf : leaves) leaf = leaf.detach().requires_grad_();
    const Tensor y = residual_layer_norm(leaves[0], leaves[1], leaves[2], leaves[3], 1e-12, drop);
    y.backward(slope.to(type));
    std::vector<Tensor> out{y.detach()};
    for (const Tensor& leaf : leaves) out.push_back(leaf.grad());
    return out;
  };
  const auto narrow = run(at::kBFloat16, at::kFloat), wide = run(at::kDouble, at::kDouble);
  EXPECT_EQ(narrow[0].scalar_type(), at::kBFloat16);
  EXPECT_EQ(narrow[3].scalar_type(), at::kFloat);
  const char* const names[] = {"y", "dx", "dresidual", "dweight", "dbias"};
  for (size_t i = 0; i < narrow.size(); ++i) {
    const double size = wide[i].abs().max().item<double>();
    EXPECT_LT(largest_difference(narrow[i], wide[i]), 2 * kHalfStep * size) << names[i];
  }
}

TEST(BFloat16, ALinearLayerHasFp32GradientsAndNoticesNewWeights) {
  NEEDS_FAST_BFLOAT16();
  Linear layer({.in = 64, .out = 96, .initializer_range = 0.5}, 1, torch::kFloat);
  const Tensor x = narrow_rows(40, 64, 1), slope = narrow_rows(40, 96, 2);
  const auto expect_right = [&] {
    layer.zero_grad();
    const Tensor leaf = x.detach().requires_grad_();
    const Tensor y = layer.forward(leaf);
    y.backward(slope);
    ASSERT_EQ(y.scalar_type(), at::kBFloat16);
    ASSERT_EQ(layer.weight.grad().scalar_type(), at::kFloat);
    const Tensor w = layer.weight.detach().to(at::kDouble), dy = slope.to(at::kDouble),
                 wide = x.to(at::kDouble);
    const auto near = [](const Tensor& got, const Tensor& want, const char* what) {
      const double size = want.abs().max().item<double>();
      EXPECT_LT(largest_difference(got, want), 2 * kHalfStep * size) << what;
    };
    near(y.detach(), wide.matmul(w.t()) + layer.bias.detach(), "y");
    near(leaf.grad(), dy.matmul(w), "dx");
    near(layer.weight.grad(), dy.t().matmul(wide), "dW");
    near(layer.bias.grad(), dy.sum(0), "db");
  };
  expect_right();
  {
    const torch::NoGradGuard no_grad;  // as an optimiser does
    layer.weight.mul_(-0.5);
  }
  expect_right();
  const torch::NoGradGuard no_grad;
  const Tensor plain = layer.forward(x, Activation::gelu);
  layer.pack_for_inference(at::kBFloat16);
  // Fused, the activation is rounded once; apart, its input is rounded too: three in all.
  EXPECT_LT(largest_difference(layer.forward(x, Activation::gelu), plain),
            3 * kHalfStep * plain.abs().max().item<double>());
  EXPECT_EQ(layer.forward(x.to(at::kFloat)).scalar_type(), at::kFloat);  // packed for another type
}

TEST(BFloat16, TheVocabularyLossIsFp32InsideItsRows) {
  NEEDS_FAST_BFLOAT16();
  const Tensor h = narrow_rows(37, 32, 1),
               w = random_rows(501, 32, 2, at::kFloat).mul(0.3).contiguous(),
               b = random_rows(1, 501, 3, at::kFloat)[0].contiguous();
  const Tensor labels = torch::arange(0, 37, torch::kInt64).mul(13);
  const auto run = [&](at::ScalarType type, at::ScalarType parameters) {
    std::vector<Tensor> leaves{h.to(type, false, true), w.to(parameters, false, true),
                               b.to(parameters, false, true)};
    for (Tensor& leaf : leaves) leaf = leaf.detach().requires_grad_();
    const VocabularyLoss loss = vocabulary_loss(leaves[0], leaves[1], leaves[2], labels);
    loss.sum.backward();
    return std::vector<Tensor>{loss.sum.detach(), leaves[0].grad(), leaves[1].grad(),
                               leaves[2].grad()};
  };
  const auto narrow = run(at::kBFloat16, at::kFloat), wide = run(at::kDouble, at::kDouble);
  EXPECT_EQ(narrow[0].scalar_type(), at::kFloat);
  EXPECT_EQ(narrow[2].scalar_type(), at::kFloat);
  EXPECT_NEAR(narrow[0].item<double>() / wide[0].item<double>(), 1, 2e-3);
  for (size_t i = 1; i < narrow.size(); ++i) {
    const double size = wide[i].abs().max().item<double>();
    EXPECT_LT(largest_difference(narrow[i], wide[i]), 0.03 * size) << i;  // logits are rounded
  }
}

/// Output and all gradients of a pass in training.
std::vector<Tensor> pass_through(Stack& stack) {
  stack.zero_grad();
  const Tensor x = random_rows(23, 64, 1, at::kFloat).requires_grad_();
  const Tensor out = stack
                         .forward({.hidden_TD = x,
                                   .layout = SequenceLayout::of_lengths({9, 1, 13}),
                                   .mask = {.see = {See::all}, .source = {}, .keep_S = {}},
                                   .pass = {.training = true, .key = 4, .example_keys = {1, 2, 3}},
                                   .source_SD = {},
                                   .bias = nullptr})
                         .hidden_TD;
  (out.to(at::kFloat) * random_rows(23, 64, 2, at::kFloat)).sum().backward();
  std::vector<Tensor> result{out.detach(), x.grad()};
  for (const Tensor& parameter : stack.parameters()) result.push_back(parameter.grad().clone());
  return result;
}

TEST(BFloat16, AStackStaysNearItsFp32Self) {
  NEEDS_FAST_BFLOAT16();
  const auto stack = small_stack({.layers = 3, .dropout = 0.1});
  const auto wide = pass_through(*stack);
  compute_in(*stack, at::kBFloat16);
  const auto narrow = pass_through(*stack);
  EXPECT_EQ(narrow[0].scalar_type(), at::kBFloat16);
  double whole = 0;  // norm of all gradients: that of a key's bias is zero but for rounding
  for (size_t i = 1; i < wide.size(); ++i) whole += wide[i].pow(2).sum().item<double>();
  for (size_t i = 0; i < wide.size(); ++i) {
    const double error = (narrow[i].to(at::kFloat) - wide[i]).norm().item<double>();
    EXPECT_LT(error, 0.03 * wide[i].norm().item<double>() + 1e-4 * std::sqrt(whole)) << i;
  }
}

TEST(Recompute, GivesTheSameBitsForSelfAttentionCarryAndBFloat16) {
  for (const bool residual : {false, true}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      if (!onednn_computes_in(type)) continue;
      const auto stack = small_stack({.layers = 3, .dropout = 0.1, .residual = residual});
      compute_in(*stack, type);
      const auto plain = pass_through(*stack);
      recompute_in_backward(*stack);
      const auto again = pass_through(*stack);
      ASSERT_EQ(plain.size(), again.size());
      for (size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(plain[i].equal(again[i])) << i;
    }
  }
}

TEST(Recompute, ReachesThePositionBiasAndPinnedSources) {
  StackSpec spec;
  spec.width = 32;
  spec.heads = 2;
  spec.intermediate_size = 32;
  spec.key_value_from = KeyValueFrom::embeddings;
  spec.initializer_range = 0.2;
  spec.runs = {{.count = 2, .attention = {}}};
  const auto stack = std::make_shared<Stack>(spec, 3, torch::kDouble);
  const auto run = [&] {
    stack->zero_grad();
    const Tensor x = random_rows(7, 32, 1, at::kDouble).requires_grad_(),
                 source = random_rows(7, 32, 2, at::kDouble).requires_grad_(),
                 table = random_rows(2, 7, 3, at::kDouble).requires_grad_();
    stack
        ->forward({.hidden_TD = x,
                   .layout = SequenceLayout::of_lengths({4, 3}),
                   .mask = {.see = {See::all}, .source = {}, .keep_S = {}},
                   .pass = PassContext::evaluation(),
                   .source_SD = source,
                   .bias = std::make_shared<PositionBias>(PositionBias{table, 3})})
        .hidden_TD.pow(3)
        .sum()
        .backward();
    return std::vector<Tensor>{x.grad(), source.grad(), table.grad(),
                               stack->parameters()[0].grad().clone()};
  };
  const auto plain = run();
  recompute_in_backward(*stack);
  const auto again = run();
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_GT(plain[i].abs().max().item<double>(), 0) << i;
    EXPECT_LT(largest_difference(plain[i], again[i]), 1e-12) << i;
  }
}

}  // namespace
}  // namespace tenfold::nn::testing

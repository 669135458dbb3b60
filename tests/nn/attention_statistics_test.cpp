// Observers of attention: figures of weights that can be worked out on paper, and that looking on
// changes nothing. Not here: tables and pictures (tests/eval, tests/cli).
#include "nn/attention_statistics.h"

#include "attention_fixture.h"
#include "nn/stack.h"

namespace tenfold::nn::testing {
namespace {

/// Two heads over the same scores and weights.
ObservedAttention seen_as(const Tensor& score_NM, const Tensor& weight_NM, const Tensor& seen_NM) {
  return {.layer = 0,
          .score_HNM = at::stack({score_NM, score_NM}),
          .weight_HNM = at::stack({weight_NM, weight_NM}),
          .seen_NM = seen_NM};
}

TEST(AttentionStatistics, EvenWeightsHaveTheEntropyOfTheirNumber) {
  AttentionStatistics statistics;
  statistics.see(seen_as(torch::full({3, 4}, 2.0), torch::full({3, 4}, 0.25),
                         torch::ones({3, 4}, torch::kBool)));
  const HeadStatistics head = statistics.layers().at(0).heads.at(1);
  EXPECT_NEAR(head.entropy, std::log(4.0), 1e-12);
  EXPECT_EQ(head.sparsity, 0.0);
  EXPECT_EQ(head.largest_score, 2.0);
  EXPECT_NEAR(head.deviation, 0.0, 1e-12);
}

TEST(AttentionStatistics, OneHotWeightsHaveNoneAndAreSparse) {
  AttentionStatistics statistics;
  statistics.see(seen_as(torch::eye(4, torch::kDouble) * -6, torch::eye(4, torch::kDouble),
                         torch::ones({4, 4}, torch::kBool)));
  const HeadStatistics head = statistics.layers().at(0).heads.at(0);
  EXPECT_EQ(head.entropy, 0.0);
  EXPECT_EQ(head.sparsity, 0.75);
  EXPECT_EQ(head.largest_score, 6.0);
  EXPECT_NEAR(head.deviation, std::sqrt(36.0 / 4 - 1.5 * 1.5), 1e-12);
}

TEST(AttentionStatistics, HiddenPairsAndBlindQueriesDoNotCount) {
  // Query 0 sees nothing, 1 one key, 2 two: 1e9 stands where nothing is seen.
  const Tensor seen = torch::tensor({0, 0, 1, 0, 1, 1}, torch::kLong).view({3, 2}).to(torch::kBool);
  const Tensor score = torch::tensor({1e9, 1e9, 3.0, 1e9, 1.0, 1.0}).view({3, 2});
  const Tensor weight = torch::tensor({0.0, 0.0, 1.0, 0.0, 0.5, 0.5}).view({3, 2});
  AttentionStatistics statistics;
  statistics.see(seen_as(score, weight, seen));
  const HeadStatistics head = statistics.layers().at(0).heads.at(0);
  EXPECT_NEAR(head.entropy, std::log(2.0) / 2, 1e-7);
  EXPECT_EQ(head.sparsity, 0.0);
  EXPECT_EQ(head.largest_score, 3.0);
  EXPECT_NEAR(head.deviation, std::sqrt(11.0 / 3 - 25.0 / 9), 1e-6);
}

TEST(AttentionStatistics, AddUpOverSequencesUntilTheyHaveEnough) {
  const auto ones = [](int64_t n) {
    return seen_as(torch::zeros({n, 2}), torch::full({n, 2}, 0.5),
                   torch::ones({n, 2}, torch::kBool));
  };
  AttentionStatistics statistics(5);
  EXPECT_TRUE(statistics.layers().empty());
  statistics.see(ones(3));
  EXPECT_TRUE(statistics.wants_more());
  statistics.see(ones(2));
  EXPECT_FALSE(statistics.wants_more());
  EXPECT_NEAR(statistics.layers().at(0).mean().entropy, std::log(2.0), 1e-7);
  ObservedAttention crossed = ones(2);
  crossed.side = Side::cross;
  crossed.layer = 7;
  statistics.see(crossed);
  EXPECT_EQ(statistics.layers().size(), 1U) << "another text's attention is left out";
}

TEST(AttentionStatistics, GrowthIsRelativeToTheFirstLayerWithScores) {
  const auto layer = [](double deviation) {
    return LayerStatistics{.heads = {{.deviation = deviation}, {.deviation = 3 * deviation}}};
  };
  EXPECT_EQ(score_growth({{}, layer(1), layer(2), {}, layer(0.5)}),
            (std::vector<double>{0, 1, 2, 0, 0.5}));
}

TEST(AttentionStatistics, ObservedStacksComputeTheSameAndShowSummedScores) {
  StackSpec spec{.width = 12,
                 .heads = 3,
                 .intermediate_size = 20,
                 .initializer_range = 0.5,
                 .runs = {{.count = 3, .attention = {}, .residual_attention = true}}};
  const Batch batch = make_batch({5, 0, 9}, {See::all, See::all, See::past});
  const StackIn in{.hidden_TD = random_rows(14, 12, 3),
                   .layout = batch.layout,
                   .mask = batch.mask,
                   .pass = {},
                   .source_SD = {},
                   .bias = nullptr};
  const torch::NoGradGuard no_grad;
  const auto deviations = [&](bool residual, bool mean) {
    spec.runs[0].residual_attention = residual;
    spec.runs[0].residual_mean = mean;
    Stack stack(spec, 1, torch::kFloat64);
    const Tensor alone = stack.forward(in).hidden_TD;
    AttentionStatistics statistics;
    observe_attention(stack, &statistics);
    EXPECT_EQ(worst(stack.forward(in).hidden_TD, alone), 0.0);
    observe_attention(stack, nullptr);
    stack.forward(in);
    const auto layers = statistics.layers();
    EXPECT_EQ(layers.size(), 3U);
    EXPECT_EQ(layers[2].heads.size(), 3U);
    for (const LayerStatistics& layer : layers) {
      for (const HeadStatistics& head : layer.heads) {
        EXPECT_GT(head.entropy, 0);
        EXPECT_LT(head.entropy, std::log(9.0));
        EXPECT_GE(head.largest_score, head.deviation);
      }
    }
    return score_growth(layers);
  };
  const auto plain = deviations(false, false), sum = deviations(true, false),
             mean = deviations(true, true);
  EXPECT_EQ(sum[0], 1.0);
  EXPECT_GT(sum[2], plain[2]) << "sums grow";
  EXPECT_GT(mean[2], plain[2]) << "the mean is taken at the softmax: raw scores are sums too";
}

}  // namespace
}  // namespace tenfold::nn::testing

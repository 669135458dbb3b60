// The bootstrap of differences that are known, and metrics of weighted rows against metrics of the
// rows written out. Not here: the metrics' own values.
#include "eval/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "eval/correlation.h"
#include "eval/resampled_scores.h"
#include "eval/text_scores.h"
#include "support/rng.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

TEST(PairedBootstrap, SeesAConstantGainAsCertain) {
  const std::vector<double> a(50, 0.5), b(50, 0.75);
  const auto result = paired_bootstrap(a, b);
  EXPECT_DOUBLE_EQ(result.difference, 0.25);
  EXPECT_DOUBLE_EQ(result.low, 0.25);
  EXPECT_DOUBLE_EQ(result.high, 0.25);
  EXPECT_DOUBLE_EQ(result.p_value, 2.0 / 2001);
}

TEST(PairedBootstrap, SeesNoDifferenceBetweenEquals) {
  const std::vector<double> a = {1, 0, 1};
  EXPECT_EQ(paired_bootstrap(a, a).p_value, 1);
}

TEST(PairedBootstrap, SpansZeroWhereGainsCancelAndRepeatsItself) {
  std::vector<double> a, b;
  for (int i = 0; i < 200; ++i) {
    a.push_back(i % 2);
    b.push_back((i + 1) % 2);
  }
  const auto result = paired_bootstrap(a, b, {.draws = 1000, .seed = 3});
  EXPECT_LT(result.low, 0);
  EXPECT_GT(result.high, 0);
  // The mean of 200 signs deviates by 1/sqrt(200); 1.96 of that on either side.
  EXPECT_NEAR(result.high - result.low, 2 * 1.96 / std::sqrt(200.0), 0.03);
  EXPECT_GT(result.p_value, 0.5);
  EXPECT_EQ(paired_bootstrap(a, b, {.draws = 1000, .seed = 3}).low, result.low);
  EXPECT_THROW(paired_bootstrap(a, std::vector<double>{1}), Error);
  EXPECT_THROW(paired_bootstrap(std::vector<double>{}, std::vector<double>{}), Error);
}

TEST(PairedBootstrap, FindsTheNormalIntervalOfALargeSample) {
  RandomStream random(5, "gains");
  std::vector<double> a(2000, 0), b;
  for (size_t i = 0; i < a.size(); ++i) b.push_back(random.uniform() < 0.55 ? 1 : -1);
  const auto result = paired_bootstrap(a, b);
  const double deviation = std::sqrt((1 - result.difference * result.difference) / 2000);
  EXPECT_NEAR(result.low, result.difference - 1.96 * deviation, 0.2 * deviation);
  EXPECT_NEAR(result.high, result.difference + 1.96 * deviation, 0.2 * deviation);
}

TEST(PairedBootstrap, TakesTheMeanOverSeedsOfEachSide) {
  const std::vector<WeightedScores> one = {mean_scores_of({{0, 0, 0, 0}})};
  const std::vector<WeightedScores> two = {mean_scores_of({{1, 1, 1, 1}}),
                                           mean_scores_of({{0, 0, 0, 0}})};
  EXPECT_DOUBLE_EQ(paired_bootstrap(4, one, two)[0].difference, 0.5);
  const std::vector<WeightedScores> other = {mean_scores_of({{0}, {0}})};
  EXPECT_THROW(paired_bootstrap(1, one, other), Error);
  EXPECT_THROW(paired_bootstrap(1, one, {}), Error);
  EXPECT_THROW(paired_bootstrap(0, one, one), Error);
}

TEST(PairedBootstrap, LeavesOutResamplesInWhichAMetricIsUndefined) {
  // Three rows: one resample in nine draws the same row three times.
  const std::vector<WeightedScores> a = {column_scores_of({1, 2, 3}, {1, 2, 3}, {pearson})};
  const std::vector<WeightedScores> b = {column_scores_of({1, 2, 3}, {3, 2, 1}, {pearson})};
  const auto result = paired_bootstrap(3, a, b)[0];
  EXPECT_DOUBLE_EQ(result.difference, -2);
  EXPECT_NEAR(static_cast<double>(result.undefined), 2000.0 / 9, 60);
  const std::vector<WeightedScores> flat = {column_scores_of({1, 1, 1}, {3, 2, 1}, {pearson})};
  EXPECT_TRUE(std::isnan(paired_bootstrap(3, a, flat)[0].difference));
  EXPECT_EQ(paired_bootstrap(3, a, flat)[0].p_value, 1);
}

TEST(ResampledScores, EqualTheMetricsOfTheRowsWrittenOut) {
  const std::vector<uint32_t> weights = {2, 0, 1, 3};
  const std::vector<int64_t> gold = {0, 1, 1, 0}, predicted = {0, 1, 0, 1};
  const auto scores =
      confusion_scores_of(gold, predicted, 2, {accuracy, f1_macro, matthews_correlation});
  const Confusion written_out =
      confusion_of(std::vector<int64_t>{0, 0, 1, 0, 0, 0}, std::vector<int64_t>{0, 0, 0, 1, 1, 1});
  EXPECT_THAT(scores(weights), ::testing::ElementsAre(accuracy(written_out), f1_macro(written_out),
                                                      matthews_correlation(written_out)));
  const auto columns = column_scores_of({1, 2, 3, 5}, {2, 9, 1, 4}, {spearman});
  EXPECT_DOUBLE_EQ(columns(weights)[0], *spearman(std::vector<double>{1, 1, 3, 5, 5, 5},
                                                  std::vector<double>{2, 2, 1, 4, 4, 4}));
  const auto sums = sum_scores_of<2>({{1, 10}, {2, 20}, {3, 30}, {4, 40}}, [](const auto& sum) {
    return std::vector<double>{static_cast<double>(sum[0] + sum[1])};
  });
  EXPECT_EQ(sums(weights)[0], 11 * (2 * 1 + 3 + 3 * 4));
}

TEST(TextScores, EqualTheScoresOfSingleTextsPutTogether) {
  const std::vector<std::string> texts = {"the cat sat on the mat", "a dog"};
  const std::vector<std::vector<std::string>> references = {{"the cat sat on a mat"},
                                                            {"two dogs", "a dog"}};
  const std::vector<std::string> names = {"rouge1", "bleu", "rougeL"};
  const std::vector<double> scores =
      text_scores_of(texts, references, names)(std::vector<uint32_t>{1, 1});
  BleuCounts sum = bleu_counts(texts[0], references[0]);
  sum += bleu_counts(texts[1], references[1]);
  EXPECT_DOUBLE_EQ(scores[1], bleu_of(sum).bleu);
  EXPECT_DOUBLE_EQ(scores[0], (rouge_scores(texts[0], references[0][0]).rouge1.f + 1) / 2);
  EXPECT_DOUBLE_EQ(scores[2], (rouge_scores(texts[0], references[0][0]).rouge_l.f + 1) / 2);
}

TEST(TextScores, NameWhatDoesNotFit) {
  const std::vector<std::string> texts = {"a", "b"};
  const std::vector<std::vector<std::string>> references = {{"a"}, {}};
  const auto message = [&](const std::vector<std::string>& some, const char* metric) {
    try {
      static_cast<void>(text_scores_of(some, references, std::vector<std::string>{metric}));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(texts, "bleu"), ::testing::HasSubstr("row 2 has no reference"));
  EXPECT_THAT(message({"a"}, "bleu"), ::testing::HasSubstr("1 texts for 2 references"));
  const std::vector<std::vector<std::string>> whole = {{"a"}, {"b"}};
  EXPECT_THROW(text_scores_of(texts, whole, std::vector<std::string>{"mcc"}), Error);
  EXPECT_THROW(text_scores_of(texts, whole, std::vector<std::string>{"blue"}), Error);
}

}  // namespace
}  // namespace tenfold::eval

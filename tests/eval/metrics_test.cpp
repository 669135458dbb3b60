// Metrics against 200 independent results and against values worked out on paper.
// Not here: metrics of model runs (objective_evaluation_test.cpp).
#include "eval/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "golden.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Labels = std::vector<int64_t>;

TEST(Metrics, EqualTheGoldensToNineDecimals) {
  TENFOLD_COMPARES_GOLDENS();
  std::ifstream file(testing::shared_path("goldens/objectives/metric-classification.jsonl"));
  std::string line;
  int cases = 0;
  for (; std::getline(file, line); ++cases) {
    const auto golden = nlohmann::json::parse(line);
    const auto gold = golden["gold"].get<Labels>();
    const auto predicted = golden["pred"].get<Labels>();
    const Confusion confusion = confusion_of(gold, predicted);
    const auto expect = [&](const char* key, double value) {
      if (!golden.contains(key)) return;
      EXPECT_NEAR(value, golden[key].get<double>(), 1e-9) << key << " of case " << cases;
    };
    expect("accuracy", accuracy(confusion));
    expect("mcc", matthews_correlation(confusion));
    expect("macro_f1", f1_macro(confusion));
    expect("f1", f1_binary(confusion));
    if (golden.contains("precision") && confusion.classes() > 1) {
      expect("precision", class_scores(confusion, 1).precision);
      expect("recall", class_scores(confusion, 1).recall);
    }
  }
  EXPECT_EQ(cases, 200);
  testing::compared_goldens(static_cast<size_t>(cases));
}

TEST(Metrics, FollowFromASmallTableOnPaper) {
  // gold 0: one right, one called 1; gold 1: two right; gold 2: called 0.
  const Confusion confusion = confusion_of(Labels{0, 0, 1, 1, 2}, Labels{0, 1, 1, 1, 0});
  EXPECT_EQ(confusion.at(0, 1), 1);
  EXPECT_EQ(confusion.gold_count(1), 2);
  EXPECT_EQ(confusion.predicted_count(1), 3);
  EXPECT_DOUBLE_EQ(accuracy(confusion), 0.6);
  EXPECT_DOUBLE_EQ(f1_micro(confusion), 0.6);
  EXPECT_DOUBLE_EQ(class_scores(confusion, 1).precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(class_scores(confusion, 1).recall, 1.0);
  EXPECT_DOUBLE_EQ(f1_macro(confusion), (0.5 + 0.8 + 0) / 3);
}

TEST(Metrics, AreZeroWithoutExamples) {
  const Confusion empty(2);
  EXPECT_EQ(accuracy(empty), 0);
  EXPECT_EQ(f1_macro(empty), 0);
  EXPECT_EQ(matthews_correlation(empty), 0);
  EXPECT_EQ(majority_class(Labels{}), -1);
}

TEST(Metrics, NameTheLabelThatDoesNotFit) {
  Confusion confusion(2);
  EXPECT_THROW(confusion.add(0, 2), Error);
  EXPECT_THROW(confusion_of(Labels{0}, Labels{0, 1}), Error);
  EXPECT_THROW(confusion_of(Labels{-1}, Labels{0}), Error);
}

TEST(Metrics, MajorityIsTheSmallestOfEquals) {
  EXPECT_EQ(majority_class(Labels{3, 1, 3, 1, 2}), 1);
}

TEST(Metrics, PerplexityOfAUniformGuessIsItsSize) {
  EXPECT_NEAR(perplexity(std::log(30522.0)), 30522, 1e-6);
}

TEST(MeanDeviation, UsesTheSampleDeviation) {
  const auto result = mean_deviation(std::vector<double>{1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(result.mean, 2.5);
  EXPECT_DOUBLE_EQ(result.deviation, std::sqrt(5.0 / 3));
  EXPECT_EQ(mean_deviation(std::vector<double>{7}).deviation, 0);
  EXPECT_EQ(mean_deviation(std::vector<double>{}).count, 0);
}

}  // namespace
}  // namespace tenfold::eval

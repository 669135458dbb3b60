// Scores of label sets counted by hand, and their agreement with scores of single labels.
// Not here: thresholds.
#include "eval/label_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/metrics.h"
#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Set = std::vector<int64_t>;

TEST(LabelSets, AreCountedDecisionByDecision) {
  LabelSetScores scores(4);
  scores.add(Set{0, 1}, Set{1, 0});
  scores.add(Set{0}, Set{0, 2});
  scores.add(Set{}, Set{});
  scores.add(Set{2}, Set{});
  // Label 0: 2 right. Label 1: 1 right. Label 2: one missed, one too many. Label 3: never.
  EXPECT_DOUBLE_EQ(scores.f1_micro(), 6.0 / (6 + 1 + 1));
  EXPECT_DOUBLE_EQ(scores.f1_macro(), (1 + 1 + 0) / 3.0);
  EXPECT_DOUBLE_EQ(scores.exact(), 0.5);
  EXPECT_DOUBLE_EQ(scores.hamming_loss(), 2.0 / 16);
  EXPECT_EQ(scores.of(2).gold_only, 1);
}

TEST(LabelSets, OfOneLabelAgreeWithTheGoldensOfSingleLabels) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-classification.jsonl")) {
    LabelSetScores scores(3);
    for (size_t i = 0; i < row["gold"].size(); ++i) {
      scores.add(Set{row["gold"][i].get<int64_t>()}, Set{row["pred"][i].get<int64_t>()});
    }
    EXPECT_NEAR(scores.f1_micro(), row["accuracy"].get<double>(), 1e-9);
    EXPECT_NEAR(scores.f1_macro(), row["macro_f1"].get<double>(), 1e-9);
    EXPECT_NEAR(scores.exact(), row["accuracy"].get<double>(), 1e-9);
  }
}

TEST(LabelSets, NameTheRowThatIsWrong) {
  LabelSetScores scores(2);
  scores.add(Set{0}, Set{});
  const auto message = [&](const Set& gold, const Set& predicted) -> std::string {
    try {
      scores.add(gold, predicted);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({2}, {}), ::testing::HasSubstr("row 2: the gold label 2 is outside 0 .. 1"));
  EXPECT_THAT(message({0}, {1, 1}), ::testing::HasSubstr("row 2: the predicted label 1 stands"));
  EXPECT_EQ(scores.examples(), 1);
  EXPECT_THROW(LabelSetScores(0), Error);
}

}  // namespace
}  // namespace tenfold::eval

// Correlations against 200 results of SciPy, and ranks worked out on paper.
// Not here: correlation of labels (metrics_test.cpp).
#include "eval/correlation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Column = std::vector<double>;

void expect_correlation(const std::optional<double>& value, const nlohmann::json& golden,
                        const std::string& what) {
  ASSERT_EQ(value.has_value(), !golden.is_null()) << what;
  if (!value) return;
  EXPECT_NEAR(*value, golden.get<double>(), 1e-6) << what;
}

TEST(Correlation, EqualsTheGoldensAndSaysWhereItIsUndefined) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-correlation.jsonl")) {
    const auto x = row["x"].get<Column>(), y = row["y"].get<Column>();
    expect_correlation(pearson(x, y), row["pearson"], "pearson of " + row.dump());
    expect_correlation(spearman(x, y), row["spearman"], "spearman of " + row.dump());
  }
}

TEST(Correlation, FollowsFromThreePointsOnPaper) {
  // x about its mean: -1 0 1; y about its mean: -2 1 1; sum of products 3, squares 2 and 6.
  EXPECT_DOUBLE_EQ(*pearson(Column{1, 2, 3}, Column{0, 3, 3}), 3 / std::sqrt(12.0));
  // Ranks 1 2 3 and 1 2.5 2.5.
  EXPECT_DOUBLE_EQ(*spearman(Column{1, 2, 3}, Column{0, 3, 3}), 1.5 / std::sqrt(2 * 1.5));
}

TEST(Correlation, SharesRanksAmongEquals) {
  EXPECT_THAT(mean_ranks(Column{10, 20, 10, 30, 10}), ::testing::ElementsAre(2, 4, 2, 5, 2));
  EXPECT_TRUE(mean_ranks(Column{}).empty());
}

TEST(Correlation, IsUndefinedWithoutVariationRatherThanNan) {
  EXPECT_EQ(pearson(Column{0.1, 0.1, 0.1}, Column{1, 2, 3}), std::nullopt);
  EXPECT_EQ(spearman(Column{1, 2, 3}, Column{0.1, 0.1, 0.1}), std::nullopt);
  EXPECT_EQ(pearson(Column{1}, Column{1}), std::nullopt);
  EXPECT_EQ(pearson(Column{}, Column{}), std::nullopt);
}

TEST(Correlation, StaysWithinOneAtAnyOffset) {
  const Column x = {1e9 + 1, 1e9 + 2, 1e9 + 4}, y = {1, 2, 4};
  EXPECT_NEAR(*pearson(x, y), 1, 1e-12);
  EXPECT_LE(*pearson(x, x), 1.0);
}

TEST(Correlation, NamesTheRowOfAScoreThatIsNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message = [](const Column& x, const Column& y) -> std::string {
    try {
      static_cast<void>(spearman(x, y));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({1, nan, 3}, {1, 2, 3}), ::testing::HasSubstr("row 2: the predicted score"));
  EXPECT_THAT(message({1, 2, 3}, {1, 2, HUGE_VAL}), ::testing::HasSubstr("row 3: the gold score"));
  EXPECT_THAT(message({1, 2}, {1, 2, 3}), ::testing::HasSubstr("2 predicted scores for 3 gold"));
}

}  // namespace
}  // namespace tenfold::eval

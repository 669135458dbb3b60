// Rankings scored by hand.
// Not here: finding documents.
#include "eval/retrieval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Gains = std::vector<double>;

TEST(Retrieval, FindsTheFirstHelpfulDocument) {
  EXPECT_DOUBLE_EQ(reciprocal_rank(Gains{0, 0, 1, 1}), 1.0 / 3);
  EXPECT_EQ(reciprocal_rank(Gains{0, 0, 1}, 2), 0);
  EXPECT_EQ(reciprocal_rank(Gains{}), 0);
}

TEST(Retrieval, RecallsAShareOfWhatThereIs) {
  EXPECT_DOUBLE_EQ(recall_at(Gains{1, 0, 2, 1}, 4, 3), 0.5);
  EXPECT_EQ(recall_at(Gains{0, 1}, 0, 2), 0);
  EXPECT_DOUBLE_EQ(recall_at(Gains{1}, 1, 10), 1);
}

TEST(Retrieval, DiscountsGainsByPlace) {
  // Gains 3 0 1 at discounts 1, 1/log2(3), 1/2; the best order is 3 2 1.
  const double found = 3 + 0.5, ideal = 3 + 2 / std::log2(3.0) + 0.5;
  EXPECT_DOUBLE_EQ(ndcg_at(Gains{3, 0, 1}, Gains{1, 2, 3, 0}, 3), found / ideal);
  EXPECT_DOUBLE_EQ(ndcg_at(Gains{2, 1}, Gains{1, 2}, 10), 1);
  EXPECT_EQ(ndcg_at(Gains{0}, Gains{0}, 1), 0);
}

TEST(Retrieval, GivesNothingToAScorerThatCannotTellDocumentsApart) {
  EXPECT_THAT(ranked_gains(Gains{0.5, 0.5, 0.5}, Gains{1, 0, 0}), ::testing::ElementsAre(0, 0, 1));
  EXPECT_THAT(ranked_gains(Gains{0.1, 0.9}, Gains{0, 1}), ::testing::ElementsAre(1, 0));
  EXPECT_THROW(ranked_gains(Gains{std::numeric_limits<double>::quiet_NaN()}, Gains{1}), Error);
  EXPECT_THROW(ranked_gains(Gains{1}, Gains{1, 0}), Error);
}

TEST(Retrieval, AveragesOverQueriesThatCanBeAnswered) {
  const std::vector<RankedQuery> queries = {{"a", {"d1", "d2"}, {{"d2", 1}}},
                                            {"b", {"d3"}, {{"d3", 2}, {"d4", 1}}},
                                            {"c", {"d1"}, {{"d1", 0}}}};
  const RetrievalScores scores = score_retrieval(queries, 10);
  EXPECT_EQ(scores.queries, 2);
  EXPECT_EQ(scores.without_helpful, 1);
  EXPECT_DOUBLE_EQ(scores.mrr, 0.75);
  EXPECT_DOUBLE_EQ(scores.recall, 0.75);
  EXPECT_DOUBLE_EQ(scores.ndcg, (1 / std::log2(3.0) + 2 / (2 + 1 / std::log2(3.0))) / 2);
}

TEST(Retrieval, NamesTheQueryThatIsWrong) {
  const std::vector<RankedQuery> twice = {{"a", {"d1", "d1"}, {{"d1", 1}}}};
  const std::vector<RankedQuery> negative = {{"a", {"d1"}, {{"d1", -1}}}};
  EXPECT_THROW(score_retrieval(twice, 10), Error);
  EXPECT_THROW(score_retrieval(negative, 10), Error);
  EXPECT_THROW(score_retrieval({}, 10), Error);
}

}  // namespace
}  // namespace tenfold::eval

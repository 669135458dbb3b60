// The table holds what it says, and names lead to its rows.
// Not here: the metrics.
#include "eval/metric_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

TEST(MetricTable, NamesEachMetricOnceWithWordsAndBounds) {
  std::set<std::string_view> names;
  for (const MetricInfo& metric : metric_table()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.summary.empty()) << metric.name;
    EXPECT_LT(metric.low, metric.high) << metric.name;
    EXPECT_FALSE(name_of(metric.input).empty()) << metric.name;
  }
}

TEST(MetricTable, KnowsWhichWayIsBetter) {
  EXPECT_TRUE(require_metric("accuracy").higher_is_better);
  EXPECT_FALSE(require_metric("perplexity").higher_is_better);
  EXPECT_EQ(require_metric("spearman").low, -1);
  EXPECT_EQ(require_metric("bleu").high, 100);
}

TEST(MetricTable, LeavesACutAsideAndHelpsWithTypingErrors) {
  EXPECT_EQ(find_metric("recall@10"), &require_metric("recall"));
  EXPECT_EQ(find_metric("examples"), nullptr);
  try {
    require_metric("rougel");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean 'rougeL'?"));
  }
}

}  // namespace
}  // namespace tenfold::eval

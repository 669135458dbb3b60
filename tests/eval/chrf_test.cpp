// chrF against 200 results of sacreBLEU, chrF++ and small texts by hand.
// Not here: BLEU (bleu_test.cpp).
#include "eval/chrf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Texts = std::vector<std::string>;

TEST(Chrf, EqualsTheGoldens) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-bleu.jsonl")) {
    const auto texts = row["hypotheses"].get<Texts>();
    const auto streams = row["references"].get<std::vector<Texts>>();
    ChrfCounts sum;
    for (size_t i = 0; i < texts.size(); ++i) {
      Texts references;
      for (const Texts& stream : streams) references.push_back(stream[i]);
      sum += chrf_counts(texts[i], references);
    }
    EXPECT_NEAR(chrf_of(sum), row["chrf"].get<double>(), 1e-6) << row.dump();
  }
}

TEST(Chrf, FollowsFromCountsOnPaper) {
  // "abc" against "abd": characters 2 of 3, pairs 1 of 2, triples 0 of 1; precision = recall.
  EXPECT_NEAR(chrf_of(chrf_counts("a bc", Texts{"ab d"})), 100 * (2.0 / 3 + 1.0 / 2 + 0) / 3,
              1e-12);
  // Precision 1, recall 1/2 over one order each: F2 = 5 * 0.5 / (4 + 0.5).
  EXPECT_NEAR(chrf_of(chrf_counts("a", Texts{"ab"})), 100 * 5 * 0.5 / 4.5, 1e-12);
}

TEST(Chrf, TakesTheReferenceThatFitsBest) {
  EXPECT_EQ(chrf_of(chrf_counts("abc", Texts{"xyz", "abc"})), 100);
  EXPECT_EQ(chrf_of(chrf_counts("abc", Texts{"xyz", "abc", ""})), 100);
}

TEST(Chrf, CountsWordsInItsPlusPlusForm) {
  const ChrfOptions options{.kind = ChrfKind::plus_plus};
  // Words "cat" "." and "cat" "!": 1 of 2 words, 0 of 1 pairs.
  const ChrfCounts counts = chrf_counts("cat.", Texts{"cat!"}, options);
  EXPECT_EQ(counts.orders[kChrfCharacters].text, 2);
  EXPECT_EQ(counts.orders[kChrfCharacters].shared, 1);
  EXPECT_EQ(counts.orders[kChrfCharacters + 1].shared, 0);
  // Characters 3/4, 2/3, 1/2, 0; words 1/2, 0.
  EXPECT_NEAR(chrf_of(counts, options), 100 * (3.0 / 4 + 2.0 / 3 + 1.0 / 2 + 1.0 / 2) / 6, 1e-12);
}

TEST(Chrf, CountsCharactersNotBytesAndCanIgnoreCase) {
  EXPECT_EQ(chrf_counts("né", Texts{"né"}).orders[0].text, 2);
  EXPECT_EQ(chrf_of(chrf_counts("ÉTÉ", Texts{"été"})), 0);
  EXPECT_EQ(chrf_of(chrf_counts("ÉTÉ", Texts{"été"}, {.lowercase = true})), 100);
  EXPECT_EQ(chrf_of(chrf_counts("", Texts{""})), 0);
  EXPECT_THROW(chrf_counts("a", Texts{}), Error);
}

}  // namespace
}  // namespace tenfold::eval

// ROUGE against 200 results of rouge-score with and without stems; subsequences against the plain
// table; stems against the examples of Porter's paper. Not here: BLEU (bleu_test.cpp).
#include "eval/rouge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/common_subsequence.h"
#include "eval/porter_stemmer.h"
#include "golden_rows.h"
#include "support/rng.h"

namespace tenfold::eval {
namespace {

void expect_rouge(const RougeScore& score, const nlohmann::json& golden, const std::string& what) {
  EXPECT_NEAR(score.precision, golden[0].get<double>(), 1e-9) << what;
  EXPECT_NEAR(score.recall, golden[1].get<double>(), 1e-9) << what;
  EXPECT_NEAR(score.f, golden[2].get<double>(), 1e-9) << what;
}

TEST(Rouge, EqualsTheGoldensWithAndWithoutStems) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-rouge.jsonl")) {
    for (const auto& [name, stemming] :
         {std::pair("plain", Stemming::none), std::pair("stemmed", Stemming::porter)}) {
      const RougeScores scores = rouge_scores(row["prediction"].get<std::string>(),
                                              row["reference"].get<std::string>(), stemming);
      const std::string what = std::string(name) + row.dump();
      expect_rouge(scores.rouge1, row[name]["rouge1"], what);
      expect_rouge(scores.rouge2, row[name]["rouge2"], what);
      expect_rouge(scores.rouge_l, row[name]["rougeL"], what);
      expect_rouge(scores.rouge_l_sum, row[name]["rougeLsum"], what);
    }
  }
}

TEST(Rouge, FollowsFromCountsOnPaper) {
  // Words 3 of 4 and 3 of 3; pairs 1 of 3 and 1 of 2; the subsequence "the dog" or "the ran".
  const RougeScores scores = rouge_scores("The dog! THE ran", "dog, the ran");
  EXPECT_DOUBLE_EQ(scores.rouge1.precision, 0.75);
  EXPECT_DOUBLE_EQ(scores.rouge1.recall, 1);
  EXPECT_DOUBLE_EQ(scores.rouge2.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.rouge2.recall, 1);
  EXPECT_DOUBLE_EQ(scores.rouge_l.precision, 0.75);
}

TEST(Rouge, JoinsSubsequencesOfLines) {
  // Lin (2004), section 3.2: w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 gives the
  // union w1 w2 w3 w5.
  const RougeScores scores = rouge_scores("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5");
  EXPECT_DOUBLE_EQ(scores.rouge_l_sum.recall, 0.8);
  EXPECT_DOUBLE_EQ(scores.rouge_l_sum.precision, 0.4);
}

TEST(RougeWords, AreRunsOfPlainLettersAndDigits) {
  EXPECT_THAT(rouge_words("Café x-ray 3.14\n_U.S."),
              ::testing::ElementsAre("caf", "x", "ray", "3", "14", "u", "s"));
  EXPECT_TRUE(rouge_words(" — ").empty());
}

TEST(CommonSubsequence, EqualsThePlainTable) {
  RandomStream random(1, "subsequence");
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<uint32_t> a(random.below(150)), b(random.below(150));
    for (uint32_t& symbol : a) symbol = static_cast<uint32_t>(random.below(6));
    for (uint32_t& symbol : b) symbol = static_cast<uint32_t>(random.below(6));
    std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1, 0));
    for (size_t i = 1; i <= a.size(); ++i) {
      for (size_t j = 1; j <= b.size(); ++j) {
        table[i][j] = a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1
                                           : std::max(table[i - 1][j], table[i][j - 1]);
      }
    }
    std::vector<size_t> places;
    for (size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
      if (a[i - 1] == b[j - 1]) {
        places.insert(places.begin(), --i);
        --j;
      } else if (table[i][j - 1] > table[i - 1][j]) {
        --j;
      } else {
        --i;
      }
    }
    ASSERT_EQ(common_subsequence_length(a, b), table[a.size()][b.size()]);
    ASSERT_EQ(common_subsequence_places(a, b), places);
  }
}

TEST(PorterStemmer, StemsTheExamplesOfThePaper) {
  const std::pair<const char*, const char*> examples[] = {{"caresses", "caress"},
                                                          {"ponies", "poni"},
                                                          {"cats", "cat"},
                                                          {"feed", "feed"},
                                                          {"plastered", "plaster"},
                                                          {"motoring", "motor"},
                                                          {"sing", "sing"},
                                                          {"conflated", "conflat"},
                                                          {"troubled", "troubl"},
                                                          {"sized", "size"},
                                                          {"hopping", "hop"},
                                                          {"falling", "fall"},
                                                          {"hissing", "hiss"},
                                                          {"filing", "file"},
                                                          {"happy", "happi"},
                                                          {"relational", "relat"},
                                                          {"digitizer", "digit"},
                                                          {"operator", "oper"},
                                                          {"callousness", "callous"},
                                                          {"sensibiliti", "sensibl"},
                                                          {"electricity", "electr"},
                                                          {"hopefulness", "hope"},
                                                          {"adjustment", "adjust"},
                                                          {"adoption", "adopt"},
                                                          {"probate", "probat"},
                                                          {"cease", "ceas"},
                                                          {"controlling", "control"},
                                                          {"rolling", "roll"},
                                                          {"generalizations", "gener"},
                                                          {"oscillators", "oscil"}};
  for (const auto& [word, stem] : examples) EXPECT_EQ(porter_stem(word), stem) << word;
}

TEST(PorterStemmer, KnowsTheLaterChanges) {
  const std::pair<const char*, const char*> examples[] = {
      {"dies", "die"},  {"spied", "spi"}, {"died", "die"}, {"enjoy", "enjoy"},
      {"skies", "sky"}, {"dying", "die"}, {"by", "by"},    {"geology", "geolog"},
      {"yyyy", "yyyi"}, {"x2", "x2"}};
  for (const auto& [word, stem] : examples) EXPECT_EQ(porter_stem(word), stem) << word;
}

}  // namespace
}  // namespace tenfold::eval

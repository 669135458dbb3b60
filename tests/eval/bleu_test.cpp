// BLEU against 200 results of sacreBLEU, and small texts by hand.
// Not here: chrF (chrf_test.cpp).
#include "eval/bleu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Texts = std::vector<std::string>;

/// `streams`: lists of references, each with one for every text.
BleuScore corpus_bleu(const Texts& texts, const std::vector<Texts>& streams,
                      const BleuOptions& options) {
  BleuCounts sum;
  for (size_t i = 0; i < texts.size(); ++i) {
    Texts references;
    for (const Texts& stream : streams) references.push_back(stream[i]);
    sum += bleu_counts(texts[i], references, options);
  }
  return bleu_of(sum, options);
}

TEST(Bleu, EqualsTheGoldensForAllTokensAndSmoothings) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-bleu.jsonl")) {
    const auto texts = row["hypotheses"].get<Texts>();
    const auto references = row["references"].get<std::vector<Texts>>();
    for (const char* tokens : {"13a", "intl", "none"}) {
      const BleuScore score = corpus_bleu(texts, references, {.tokens = parse_bleu_tokens(tokens)});
      const auto& golden = row[tokens];
      EXPECT_NEAR(score.bleu, golden["bleu"].get<double>(), 1e-6) << tokens << row.dump();
      EXPECT_NEAR(score.brevity_penalty, golden["bp"].get<double>(), 1e-6) << tokens << row.dump();
      EXPECT_EQ(score.length, golden["sys_len"].get<int64_t>()) << tokens << row.dump();
      EXPECT_EQ(score.reference_length, golden["ref_len"].get<int64_t>()) << tokens << row.dump();
      for (size_t n = 0; n < kBleuOrder; ++n) {
        EXPECT_NEAR(score.precisions[n], golden["precisions"][n].get<double>(), 1e-6)
            << tokens << row.dump();
      }
    }
    EXPECT_NEAR(corpus_bleu(texts, references, {.lowercase = true}).bleu,
                row["13a_lower"].get<double>(), 1e-6)
        << row.dump();
    EXPECT_NEAR(corpus_bleu(texts, references, {.smoothing = BleuSmoothing::none}).bleu,
                row["13a_smooth_none"].get<double>(), 1e-6)
        << row.dump();
    EXPECT_NEAR(corpus_bleu({texts[0]}, references, {.effective_order = true}).bleu,
                row["sentence_effective_order"].get<double>(), 1e-6)
        << row.dump();
  }
}

TEST(Bleu, FollowsFromCountsOnPaper) {
  // Words 3 of 4, pairs 2 of 3, triples 1 of 2, the quadruple is not there: 1/2 of 1 by smoothing.
  const BleuCounts counts = bleu_counts("a b c x", Texts{"a b c d"});
  EXPECT_THAT(counts.shared, ::testing::ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(counts.total, ::testing::ElementsAre(4, 3, 2, 1));
  EXPECT_NEAR(bleu_of(counts).bleu, 100 * std::pow(3.0 / 4 * 2 / 3 * 1 / 2 * 1 / 2, 0.25), 1e-9);
}

TEST(Bleu, CountsARepeatedWordNoOftenerThanOneReferenceHasIt) {
  EXPECT_EQ(bleu_counts("the the the", Texts{"the cat", "the the dog"}).shared[0], 2);
}

TEST(Bleu, TakesTheNearestReferenceLengthAndTheShorterOfTwo) {
  EXPECT_EQ(bleu_counts("a b c", Texts{"a b c d", "a b"}).reference_length, 2);
  EXPECT_EQ(bleu_counts("a b c", Texts{"a", "a b c d"}).reference_length, 4);
}

TEST(Bleu, PunishesShortTextsAndForgivesLongOnes) {
  EXPECT_NEAR(bleu_of(bleu_counts("a b c d", Texts{"a b c d e f g h"})).bleu, 100 * std::exp(-1.0),
              1e-9);
  EXPECT_EQ(bleu_of(bleu_counts("", Texts{"a b"})).bleu, 0);
  EXPECT_EQ(bleu_of(bleu_counts("", Texts{""})).bleu, 0);
}

TEST(BleuTokens, SplitAsTheScriptsOfNistDo) {
  EXPECT_EQ(bleu_tokenized("It costs $1,200.50 (well-known), U.S.", BleuTokens::mteval_13a),
            "It costs $ 1,200.50 ( well-known ) , U . S .");
  EXPECT_EQ(bleu_tokenized("&quot;5-6&quot; &amp;lt;", BleuTokens::mteval_13a), "\" 5 - 6 \" <");
  EXPECT_EQ(bleu_tokenized("well-known 3.14 €5 „x“", BleuTokens::international),
            "well - known 3.14 € 5 „ x “");
  EXPECT_EQ(bleu_tokenized(" a,  b ", BleuTokens::none), "a, b");
}

TEST(BleuTokens, AreNamed) {
  try {
    parse_bleu_tokens("13b");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean '13a'?"));
  }
  EXPECT_THROW(bleu_counts("a", Texts{}), Error);
}

}  // namespace
}  // namespace tenfold::eval

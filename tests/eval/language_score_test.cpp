// Bits of texts whose probability is known.
// Not here: perplexity of a model (objective_evaluation_test.cpp).
#include "eval/language_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

TEST(LanguageScore, CountsBitsOfCoinTosses) {
  // A text of probability 2^-12 in 6 bytes, 4 characters, 2 words, 3 tokens.
  LanguageCounts counts;
  add_text(counts, "é é", 8 * std::log(2.0), 2);
  EXPECT_EQ(counts.bytes, 5);
  EXPECT_EQ(counts.characters, 3);
  EXPECT_EQ(counts.words, 2);
  add_text(counts, "x", 4 * std::log(2.0), 1);
  EXPECT_DOUBLE_EQ(counts.bits_per_byte(), 2);
  EXPECT_DOUBLE_EQ(counts.bits_per_character(), 3);
  EXPECT_DOUBLE_EQ(counts.token_perplexity(), 16);
  EXPECT_DOUBLE_EQ(counts.word_perplexity(), 16);
}

TEST(LanguageScore, RefusesLossesThatAreNoNumbersAndEmptyTexts) {
  EXPECT_THROW(bits_per_unit(std::numeric_limits<double>::quiet_NaN(), 3), Error);
  EXPECT_THROW(bits_per_unit(HUGE_VAL, 3), Error);
  EXPECT_THROW(bits_per_unit(1, 0), Error);
}

}  // namespace
}  // namespace tenfold::eval

// Any bytes may stand in texts that are scored: broken UTF-8, zeros, marks, markup.
// Not here: the scores of good texts.
#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <string>
#include <vector>

#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/entity_score.h"
#include "eval/language_score.h"
#include "eval/rouge.h"
#include "eval/squad_score.h"
#include "support/rng.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

/// Pieces that rules look for, and bytes at random.
std::string hostile_text(RandomStream& random, size_t pieces) {
  static const std::string kPieces[] = {" ",
                                        "a",
                                        "the ",
                                        "\n",
                                        ".",
                                        ",",
                                        "-",
                                        "1",
                                        "\xC3",
                                        "\xA9",
                                        "\xE2\x80",
                                        "\xED\xA0\x80",
                                        "Σ",
                                        "&lt;",
                                        "&",
                                        "<skipped>",
                                        "B-",
                                        "I-X",
                                        "O",
                                        "\xFF",
                                        "yyy",
                                        "ies",
                                        "alli",
                                        "½",
                                        std::string(1, '\0')};
  std::string text;
  for (uint64_t left = random.below(pieces); left > 0; --left) {
    if (random.below(4) > 0) {
      text += kPieces[random.below(std::size(kPieces))];
    } else {
      text += static_cast<char>(random.below(256));
    }
  }
  return text;
}

void expect_within(double value, double high, const char* what) {
  EXPECT_TRUE(std::isfinite(value) && value >= 0 && value <= high * (1 + 1e-12))
      << what << " is " << value;
}

TEST(ScoresOfAnyBytes, StayWithinTheirRange) {
  RandomStream random(3, "bytes");
  for (int trial = 0; trial < 1500; ++trial) {
    const std::string text = hostile_text(random, trial % 50 == 0 ? 600 : 40);
    std::vector<std::string> references;
    for (uint64_t left = 1 + random.below(3); left > 0; --left)
      references.push_back(random.below(5) == 0 ? text : hostile_text(random, 40));
    for (const BleuTokens tokens :
         {BleuTokens::mteval_13a, BleuTokens::international, BleuTokens::none}) {
      const BleuOptions options{.tokens = tokens, .effective_order = trial % 2 == 0};
      expect_within(bleu_of(bleu_counts(text, references, options), options).bleu, 100, "bleu");
      const std::string cut = bleu_tokenized(text, tokens);
      EXPECT_EQ(bleu_tokenized(cut, BleuTokens::none), cut);
    }
    for (const ChrfKind kind : {ChrfKind::chrf, ChrfKind::plus_plus})
      expect_within(chrf_of(chrf_counts(text, references, {.kind = kind})), 100, "chrf");
    const RougeScores rouge = rouge_scores(text, references[0], Stemming::porter);
    for (const RougeScore* score :
         {&rouge.rouge1, &rouge.rouge2, &rouge.rouge_l, &rouge.rouge_l_sum})
      expect_within(score->f, 1, "rouge");
    EXPECT_LE(rouge.rouge_l.f, rouge.rouge1.f * (1 + 1e-12));
    const AnswerScore answer = score_answer(text, references, EmptyAnswers::match_empty);
    expect_within(answer.f1, 1, "f1");
    EXPECT_GE(answer.f1, answer.exact * (1 - 1e-12));
    LanguageCounts counts;
    add_text(counts, text, 1, 1);
    EXPECT_LE(counts.characters, counts.bytes);
    EXPECT_LE(counts.words, counts.characters);
  }
}

TEST(ScoresOfAnyBytes, AreWholeForATextAgainstItself) {
  RandomStream random(4, "bytes");
  for (int trial = 0; trial < 300; ++trial) {
    const std::vector<std::string> text = {hostile_text(random, 40)};
    EXPECT_EQ(score_answer(text[0], text, EmptyAnswers::match_empty).f1, 1);
    const double chrf = chrf_of(chrf_counts(text[0], text));
    EXPECT_TRUE(chrf == 0 || std::abs(chrf - 100) < 1e-9) << chrf;
  }
}

TEST(ScoresOfAnyBytes, TakeTagsOrRefuseThem) {
  RandomStream random(5, "tags");
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<std::string> tags;
    for (uint64_t left = random.below(6); left > 0; --left) tags.push_back(hostile_text(random, 3));
    try {
      EXPECT_LE(entities_of(tags).entities.size(), tags.size());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
    }
  }
}

}  // namespace
}  // namespace tenfold::eval

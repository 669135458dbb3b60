// The unigram model against every cut of short texts, and what a trained model promises.
// Not here: real models (golden_test.cpp).
#include "text/unigram.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tenfold/error.h"
#include "tenfold/tokenizer.h"
#include "text/unigram_trainer.h"

namespace tenfold::text {
namespace {

using Words = std::vector<std::string>;

/// The best sum of scores over all cuts, one character without a piece costing `unknown`.
double best_of_all(const std::string& text, const Words& pieces, const std::vector<double>& scores,
                   double unknown) {
  if (text.empty()) return 0;
  double best = std::numeric_limits<double>::lowest();
  bool single = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!text.starts_with(pieces[i])) continue;
    single = single || pieces[i].size() == 1;
    best = std::max(
        best, scores[i] + best_of_all(text.substr(pieces[i].size()), pieces, scores, unknown));
  }
  if (!single)
    best = std::max(best, unknown + best_of_all(text.substr(1), pieces, scores, unknown));
  return best;
}

TEST(Unigram, FindsTheBestOfAllCuts) {
  const Words pieces{"a", "b", "ab", "ba", "aab", "bb", "abab", "<unk>"};
  const std::vector<double> scores{-2, -2.5, -3, -3.1, -4, -6, -5.5, -20};
  const Unigram<double> model(pieces, scores, {}, 7);
  Unigram<double>::Scratch scratch;
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (size_t i = 0; i < 1 + random() % 9; ++i) text += "abc"[random() % 3];
    model.cut(text, scratch);
    double total = 0;
    std::string joined;
    for (const auto& piece : scratch.pieces) {
      joined += text.substr(piece.begin, piece.end - piece.begin);
      total += piece.id == 7 ? -30 : scores[static_cast<size_t>(piece.id)];
    }
    EXPECT_EQ(joined, text);
    EXPECT_NEAR(total, best_of_all(text, pieces, scores, -30), 1e-9) << text;
  }
}

std::string corpus_line(size_t i) {
  static const char* const kWords[] = {"the",  "quick", "brown",   "dog",    "jumps", "over",
                                       "lazy", "foxes", "running", "slowly", "under", "bridges"};
  std::mt19937 random(static_cast<uint32_t>(i));
  std::string line;
  for (int word = 0; word < 12; ++word) line += std::string(kWords[random() % 12]) + " ";
  return line;
}

std::string train(size_t size) {
  size_t i = 0;
  return train_unigram(
      [&]() -> std::optional<std::string> {
        return i < 400 ? std::optional(corpus_line(i++)) : std::nullopt;
      },
      {.size = size});
}

TEST(UnigramTrainer, MakesTheSameModelOfTheSameTexts) {
  const std::string model = train(80);
  EXPECT_EQ(model, train(80));
  const Tokenizer tokenizer = Tokenizer::sentencepiece(model);
  EXPECT_EQ(tokenizer.kind(), TokenizerKind::unigram);
  EXPECT_EQ(tokenizer.pad_id(), 0);
  EXPECT_EQ(tokenizer.unknown_id(), 1);
  EXPECT_EQ(tokenizer.cls_id(), 2);
  EXPECT_EQ(tokenizer.sep_id(), 3);
  EXPECT_EQ(tokenizer.token(tokenizer.mask_id()), "<mask>");
  const std::string text = "the lazy dog jumps over bridges";
  EXPECT_EQ(tokenizer.decode_without_special(tokenizer.encode_single(text).ids), text);
}

TEST(UnigramTrainer, MarksWordsSoThatTheRestOfThemContinues) {
  const Tokenizer tokenizer = Tokenizer::sentencepiece(train(60));
  size_t words = 0;
  for (const int32_t id : tokenizer.encode("running foxes slowly").ids)
    words += !tokenizer.is_continuation(id);
  EXPECT_EQ(words, 3u);
}

TEST(UnigramTrainer, RefusesNoTextAndSizesThatHoldNothing) {
  const auto nothing = []() -> std::optional<std::string> { return std::nullopt; };
  EXPECT_THROW(train_unigram(nothing, {}), Error);
  EXPECT_THROW(train_unigram(nothing, {.size = 3}), Error);
}

}  // namespace
}  // namespace tenfold::text

// Vocabulary training on corpora small enough to merge by hand.
// Not here: what the vocabulary is worth to a model.
#include "text/wordpiece_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "corpus_files.h"
#include "golden.h"
#include "tenfold/error.h"
#include "tenfold/tokenizer.h"

namespace tenfold::text {
namespace {

using Tokens = std::vector<std::string>;

TEST(WordCounter, NormalisesAndSplitsLikeTheTokenizer) {
  WordCounter counter(WordPieceOptions{});
  counter.add("The café, the CAFÉ!");
  counter.add("the");
  EXPECT_EQ(counter.counts(), (WordCounts{{"!", 1}, {",", 1}, {"cafe", 2}, {"the", 3}}));
  EXPECT_EQ(counter.num_words(), 7u);
}

TEST(WordCounter, LeavesOutWordsThatAreTooLong) {
  WordCounter counter(WordPieceOptions{});
  counter.add(std::string(101, 'a') + " b");
  EXPECT_EQ(counter.counts(), (WordCounts{{"b", 1}}));
}

TEST(WordCounter, DropsTheRarestWordsWhenThereAreTooMany) {
  WordCounter counter(WordPieceOptions{}, 4);
  counter.add("often often often a b c d");
  EXPECT_EQ(counter.counts(), (WordCounts{{"d", 1}, {"often", 3}}));
}

TEST(WordPieceTrainer, MergesByCountAndOrdersTheVocabulary) {
  // Pairs: l+##o 5, ##o+##w 5, n+##e 2, ##e+##w 2. Equal counts go to the pair numbered first.
  const WordCounts words{{"low", 5}, {"new", 2}};
  const Tokens got = train_wordpiece(words, {.size = 100, .min_frequency = 2});
  const Tokens want{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "e",   "l",  "n",  "o",
                    "w",     "##e",   "##o",   "##w",   "lo",     "low", "ne", "new"};
  EXPECT_EQ(got, want);
}

TEST(WordPieceTrainer, StopsAtTheSizeAndAtTheLeastFrequency) {
  const WordCounts words{{"low", 5}, {"new", 2}};
  EXPECT_EQ(train_wordpiece(words, {.size = 14}).back(), "lo");
  EXPECT_EQ(train_wordpiece(words, {.size = 100, .min_frequency = 3}).back(), "low");
}

TEST(WordPieceTrainer, CountsOverlappingPairsOnce) {
  // "aaaaa" = a ##a ##a ##a ##a: ##a+##a is seen three times but merges twice, leaving a ##aa ##aa.
  const Tokens got = train_wordpiece({{"aaaaa", 4}}, {.size = 100});
  EXPECT_EQ(Tokens(got.begin() + 5, got.end()), (Tokens{"a", "##a", "##aa", "aaa", "aaaaa"}));
}

TEST(WordPieceTrainer, LimitsTheAlphabetToTheMostFrequentCharacters) {
  const Tokens got = train_wordpiece({{"ab", 9}, {"cb", 1}}, {.size = 100, .limit_alphabet = 2});
  EXPECT_EQ(Tokens(got.begin() + 5, got.end()), (Tokens{"a", "b", "##b", "ab"}));
}

TEST(WordPieceTrainer, RefusesAnEmptyCorpusAndASizeBelowTheAlphabet) {
  EXPECT_THROW(train_wordpiece({}, {}), Error);
  try {
    train_wordpiece({{"abc", 1}}, {.size = 6});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
  }
}

// The same merging with all pairs counted anew each time.
Tokens train_slowly(const WordCounts& words, size_t size, Tokens tokens) {
  std::vector<std::pair<Tokens, uint64_t>> cut;
  for (const auto& [word, count] : words) {
    Tokens pieces;
    for (size_t i = 0; i < word.size(); ++i)
      pieces.push_back((i ? "##" : "") + std::string(1, word[i]));
    cut.push_back({pieces, count});
  }
  const auto id = [&](const std::string& token) {
    return std::find(tokens.begin(), tokens.end(), token) - tokens.begin();
  };
  while (tokens.size() < size) {
    std::map<std::pair<int64_t, int64_t>, uint64_t> pairs;
    for (const auto& [pieces, count] : cut) {
      for (size_t i = 1; i < pieces.size(); ++i) pairs[{id(pieces[i - 1]), id(pieces[i])}] += count;
    }
    const auto best =
        std::max_element(pairs.begin(), pairs.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == pairs.end() || best->second < 2) break;
    const std::string left = tokens[static_cast<size_t>(best->first.first)];
    const std::string right = tokens[static_cast<size_t>(best->first.second)];
    const std::string joined = left + right.substr(2);
    if (std::find(tokens.begin(), tokens.end(), joined) == tokens.end()) tokens.push_back(joined);
    for (auto& [pieces, count] : cut) {
      for (size_t i = 1; i < pieces.size(); ++i) {
        if (pieces[i - 1] != left || pieces[i] != right) continue;
        pieces[i - 1] = joined;
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }
  return tokens;
}

TEST(WordPieceTrainer, EqualsCountingAllPairsAnewEachTime) {
  WordCounter counter(WordPieceOptions{});
  counter.add(
      "she sells sea shells by the sea shore the shells she sells are sea shells for sure so if "
      "she sells shells on "
      "the sea shore then i am sure she sells sea shore shells banana bananas ananas papaya "
      "mississippi");
  const Tokens all = train_wordpiece(counter.counts(), {.size = 120});
  Tokens start;
  for (const std::string& token : all) {
    if (token[0] == '[' || token.size() == 1 || (token.size() == 3 && token.starts_with("##")))
      start.push_back(token);
  }
  EXPECT_EQ(all, train_slowly(counter.counts(), 120, start));
}

/// Tokens a vocabulary cuts the lines into, and how many of them are unknown.
std::pair<size_t, size_t> cut_by(const Tokens& vocabulary,
                                 const std::vector<std::string_view>& lines) {
  const Tokenizer tokenizer = Tokenizer::wordpiece(vocabulary);
  const RaggedIds ids = tokenizer.encode_ids(lines, {.threads = 2, .add_special = false});
  const auto unknown = std::count(ids.ids.begin(), ids.ids.end(), tokenizer.unknown_id());
  return {ids.ids.size(), static_cast<size_t>(unknown)};
}

TEST(WordPieceTrainer, DoesNotDependOnTheOrderOfTexts) {
  std::vector<std::string> texts;
  uint64_t draw = 7;
  for (int i = 0; i < 400; ++i) {
    std::string text;
    for (int w = 0; w < 12; ++w) {
      draw = draw * 6364136223846793005u + 1442695040888963407u;
      for (uint64_t rest = (draw >> 33) % 5000 + 1; rest > 0; rest /= 7)
        text += static_cast<char>('a' + rest % 7);
      text += ' ';
    }
    texts.push_back(text);
  }
  const auto vocabulary = [&] {
    WordCounter counter(WordPieceOptions{});
    for (const std::string& text : texts) counter.add(text);
    return train_wordpiece(counter.counts(), {.size = 300});
  };
  const Tokens first = vocabulary();
  EXPECT_EQ(first.size(), 300u);
  std::reverse(texts.begin(), texts.end());
  EXPECT_EQ(vocabulary(), first);
  std::rotate(texts.begin(), texts.begin() + 137, texts.end());
  EXPECT_EQ(vocabulary(), first);
}

TEST(WordPieceTrainer, ServesRealTextBetterTheMoreTokensItMayHave) {
  TENFOLD_NEEDS_SHARED();
  const std::string text =
      unpacked(testing::shared_path("data/novels/Conrad_Nostromo_1904.txt.zst"));
  const std::vector<std::string_view> lines = lines_of(text);
  WordCounter counter(WordPieceOptions{});
  for (const std::string_view line : lines) counter.add(line);
  const WordCounts words = counter.counts();
  size_t last = SIZE_MAX;
  for (const size_t size : {500, 2000, 8000}) {
    const Tokens vocabulary = train_wordpiece(words, {.size = size});
    EXPECT_EQ(vocabulary.size(), size);
    const auto [tokens, unknown] = cut_by(vocabulary, lines);
    EXPECT_EQ(unknown, 0u);
    EXPECT_LT(tokens, last);
    last = tokens;
  }
  // A general vocabulary of 30,522 is the measure for one of 8,000 made from the book itself.
  const std::string general =
      slurp(testing::shared_path("data/tokenizers/bert-base-uncased-vocab.txt"));
  Tokens bert;
  for (const std::string_view line : lines_of(general)) bert.emplace_back(line);
  EXPECT_LT(last, cut_by(bert, lines).first);
  EXPECT_LT(static_cast<double>(last), 1.15 * static_cast<double>(counter.num_words()));
}

}  // namespace
}  // namespace tenfold::text

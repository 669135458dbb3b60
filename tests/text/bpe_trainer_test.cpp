// Training byte-level BPE on corpora small enough to merge by hand.
// Not here: merging itself, which WordPiece's trainer shares (wordpiece_trainer_test.cpp).
#include "text/bpe_trainer.h"

#include <gtest/gtest.h>

#include "tenfold/error.h"
#include "tenfold/tokenizer.h"

namespace tenfold::text {
namespace {

using Words = std::vector<std::string>;

TEST(ByteWordCounter, CountsWordsOfTheByteAlphabetWhateverTheThreads) {
  const Words texts{"a b a", "b's", "a b", "\xC3\xA9"};
  ByteWordCounter one(1), three(3);
  one.add(texts);
  three.add(texts);
  EXPECT_EQ(one.counts(), three.counts());
  EXPECT_EQ(one.counts(), (WordCounts{{"'s", 1},
                                      {"a", 2},
                                      {"b", 1},
                                      {"\xC3\x83\xC2\xA9", 1},
                                      {"\xC4\xA0"
                                       "a",
                                       1},
                                      {"\xC4\xA0"
                                       "b",
                                       2}}));
  EXPECT_EQ(one.num_words(), 8u);
}

TEST(ByteWordCounter, DropsTheRarestWordsWhenThereAreTooMany) {
  ByteWordCounter counter(1, 4);
  counter.add(Words{"often", "often", "often", "a", "b", "c", "d"});
  EXPECT_EQ(counter.counts(), (WordCounts{{"often", 3}}));
}

TEST(ByteBpeTrainer, MergesByCountAfterTheSpecialTokensAndAllBytes) {
  const TrainedMerges made = train_byte_bpe({{"abab", 5}, {"abc", 3}}, {.size = 263});
  ASSERT_EQ(made.tokens.size(), 263u);
  EXPECT_EQ(made.tokens[0], "<s>");
  EXPECT_EQ(made.tokens[4], "<mask>");
  EXPECT_EQ(made.merges, (Words{"a b", "ab ab"}));
  EXPECT_EQ(made.tokens[261], "ab");
  EXPECT_EQ(made.tokens[262], "abab");
}

TEST(ByteBpeTrainer, NeverMakesASpecialTokenOfText) {
  const TrainedMerges made = train_byte_bpe({{"<s>", 9}}, {.size = 300});
  const Tokenizer tokenizer = Tokenizer::byte_bpe(made.tokens, made.merges);
  EXPECT_EQ(tokenizer.encode("<s>").ids, std::vector<int32_t>{0});
  EXPECT_GT(tokenizer.encode("<s>", SpecialText::plain).ids[0], 4);
}

TEST(ByteBpeTrainer, GivesATokenizerThatGivesItsTextBack) {
  ByteWordCounter counter(2);
  const Words texts(20, "the quick brown fox, the lazy dog; na\xC3\xAFve caf\xC3\xA9s");
  counter.add(texts);
  const TrainedMerges made = train_byte_bpe(counter.counts(), {.size = 320});
  const Tokenizer tokenizer = Tokenizer::byte_bpe(made.tokens, made.merges);
  const Encoding got = tokenizer.encode(texts[0]);
  EXPECT_EQ(tokenizer.decode(got.ids), texts[0]);
  EXPECT_LT(got.size(), texts[0].size() / 2);
}

TEST(ByteBpeTrainer, RefusesSizesBelowTheAlphabetAndNoText) {
  EXPECT_THROW(train_byte_bpe({{"a", 1}}, {.size = 100}), Error);
  EXPECT_THROW(train_byte_bpe({}, {}), Error);
}

}  // namespace
}  // namespace tenfold::text

// Words into windows, words of running text, entities out of tags, and the batch of tagged words.
// Not here: reading tagged files.
#include <gmock/gmock.h>

#include "corpus_folder.h"
#include "data/entity_spans.h"
#include "data/word_collator.h"
#include "data/word_windows.h"

namespace tenfold::data {
namespace {

using ::testing::ElementsAre;
using Ids = std::vector<int32_t>;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const WordPlace& place : split_words(text))
    words.emplace_back(text.substr(place.begin, place.end - place.begin));
  return words;
}

TEST(WordWindows, TheFirstPieceOfAWordCarriesItsTag) {
  const std::vector<std::string_view> words{"w1", "w2p3", "w4"};
  const std::vector<int64_t> tags{0, 2, -1};
  const auto windows = word_windows(words, tags, counting_tokenizer(), 10);
  ASSERT_EQ(windows.size(), 1U);
  EXPECT_EQ(windows[0].example.sequences.at("tokens"), (Ids{2, 6, 7, 48, 9, 3}));
  EXPECT_EQ(windows[0].example.sequences.at("first_pieces"), (Ids{1, 2, 4}));
  EXPECT_EQ(windows[0].example.labels, (std::vector<double>{0, 2, -1}));
}

TEST(WordWindows, EveryWordIsInExactlyOneWindowHoweverLong) {
  const std::vector<std::string_view> words{"w1", "w2p3p4p5p6", "\x01", "w4", "w5"};
  const auto windows = word_windows(words, {}, counting_tokenizer(), 5, 70);
  ASSERT_EQ(windows.size(), 3U);
  EXPECT_EQ(windows[0].num_words, 1U);
  EXPECT_EQ(windows[1].example.sequences.at("tokens"), (Ids{2, 7, 48, 49, 3}));  // cut at its end
  EXPECT_EQ(windows[2].first_word, 2U);
  EXPECT_EQ(windows[2].example.sequences.at("tokens"), (Ids{2, 1, 9, 10, 3}));  // no piece: [UNK]
  EXPECT_EQ(windows[2].example.id, 72U);
  EXPECT_TRUE(windows[2].example.labels.empty());
  EXPECT_TRUE(word_windows({}, {}, counting_tokenizer(), 5).empty());
  EXPECT_NE(message_of([] {
              word_windows(std::vector<std::string_view>{"w1"}, {}, counting_tokenizer(), 2);
            }).find("max_length must leave room"),
            std::string::npos);
}

TEST(SplitWords, PunctuationAtTheEdgesStandsAlone) {
  EXPECT_THAT(words_of("  In London, U.S. \xE2\x80\x9CIt's well-known\xE2\x80\x9D..\xC2\xA0yes"),
              ElementsAre("In", "London", ",", "U.S", ".", "\xE2\x80\x9C", "It's", "well-known",
                          "\xE2\x80\x9D", ".", ".", "yes"));
  EXPECT_THAT(words_of("?! a"), ElementsAre("?", "!", "a"));
  EXPECT_THAT(words_of(" \n"), ElementsAre());
  EXPECT_THAT(words_of("\xff\xfe"), ElementsAre("\xff\xfe"));
}

TEST(EntitySpans, ReadTheSchemesLeniently) {
  const auto spans = [](std::vector<std::string_view> tags) { return entity_spans(tags); };
  using Spans = std::vector<EntitySpan>;
  EXPECT_EQ(spans({"B-PER", "I-PER", "O", "B-LOC", "B-LOC"}),
            (Spans{{"PER", 0, 2}, {"LOC", 3, 4}, {"LOC", 4, 5}}));
  EXPECT_EQ(spans({"I-PER", "I-LOC", "I-LOC"}), (Spans{{"PER", 0, 1}, {"LOC", 1, 3}}));
  EXPECT_EQ(spans({"S-A", "B-A", "I-A", "E-A", "I-A"}),
            (Spans{{"A", 0, 1}, {"A", 1, 4}, {"A", 4, 5}}));
  EXPECT_EQ(spans({"NN", "NN", "VB", "O"}), (Spans{{"NN", 0, 2}, {"VB", 2, 3}}));
  EXPECT_EQ(spans({"O", "O"}), Spans{});
}

TEST(WordCollator, GivesRowsOfFirstPiecesAndCountsScoredWords) {
  const std::vector<std::string_view> first{"w1p1", "w2"}, second{"w3", "w4"};
  const Tokenizer tokenizer = counting_tokenizer();
  const std::vector<int64_t> one{3, 0}, two{-1, 1};
  const std::vector<Example> examples{word_windows(first, one, tokenizer, 9)[0].example,
                                      word_windows(second, two, tokenizer, 9, 1)[0].example};
  const Batch batch = WordCollator().collate(examples, {});
  EXPECT_TRUE(torch::equal(batch.field("word_rows"), torch::tensor({1, 3, 6, 7}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(batch.field("tags"), torch::tensor({3, 0, -1, 1}, torch::kInt64)));
  EXPECT_EQ(batch.denominators.at("tagging"), 3);
  const Batch weighted = WordCollator({0.5, 2, 1, 4}).collate(examples, {});
  EXPECT_EQ(weighted.denominators.at("tagging"), 4 + 0.5 + 2);
}

}  // namespace
}  // namespace tenfold::data

// Byte-level BPE: GPT-2's pattern, merging against the obvious loop, blanks and offsets, frames.
// Not here: real vocabularies (golden_test.cpp).
#include "text/bpe.h"

#include <gtest/gtest.h>

#include <random>

#include "tenfold/error.h"
#include "tenfold/tokenizer.h"
#include "text/byte_level.h"
#include "text/gpt2_pattern.h"

namespace tenfold::text {
namespace {

using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;

Words split(std::string_view text) {
  Words out;
  split_gpt2(text,
             [&](size_t begin, size_t end) { out.emplace_back(text.substr(begin, end - begin)); });
  return out;
}

TEST(Gpt2Pattern, KeepsABlankWithTheWordAfterIt) {
  EXPECT_EQ(split("Hello  world 12ab"), (Words{"Hello", " ", " world", " 12", "ab"}));
  EXPECT_EQ(split("it's we'll I'dx 'tis"),
            (Words{"it", "'s", " we", "'ll", " I", "'d", "x", " '", "tis"}));
  EXPECT_EQ(split("a \n b\t c  "), (Words{"a", " \n", " b", "\t", " c", "  "}));
  EXPECT_EQ(split(" \xC2\xA0x"), (Words{" ", "\xC2\xA0", "x"}));
  EXPECT_EQ(split("x!?... y"), (Words{"x", "!?...", " y"}));
  EXPECT_EQ(split(""), Words{});
}

/// <s> <pad> </s> <unk> <mask>, the bytes, and what the merges make.
Tokenizer small(const std::vector<std::string>& merges, bool roberta = true) {
  Words tokens;
  if (roberta) tokens = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
  for (uint32_t byte = 0; byte < 256; ++byte)
    tokens.push_back(byte_token(static_cast<uint8_t>(byte)));
  for (const std::string& merge : merges) {
    const size_t blank = merge.find(' ');
    tokens.push_back(merge.substr(0, blank) + merge.substr(blank + 1));
  }
  return Tokenizer::byte_bpe(tokens, merges);
}

Words tokens_of(const Tokenizer& tokenizer, std::string_view text) {
  Words out;
  for (const int32_t id : tokenizer.encode(text).ids) out.push_back(tokenizer.token(id));
  return out;
}

TEST(ByteBpe, MergesTheLowestRankFirstAndThenTheLeftmost) {
  const Tokenizer tokenizer = small({"b c", "a b", "a a", "aa a"});
  EXPECT_EQ(tokens_of(tokenizer, "abc"), (Words{"a", "bc"}));
  EXPECT_EQ(tokens_of(tokenizer, "ab"), (Words{"ab"}));
  EXPECT_EQ(tokens_of(tokenizer, "aaaaa"), (Words{"aa", "aaa"}));
}

// The definition, with nothing clever in it.
Ids merge_plainly(Ids ids, const std::vector<BpeMerge>& merges) {
  for (;;) {
    size_t best_rank = merges.size(), best_place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].left == ids[i] && merges[rank].right == ids[i + 1])
          best_rank = rank, best_place = i;
      }
    }
    if (best_rank == merges.size()) return ids;
    ids[best_place] = merges[best_rank].joined;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best_place) + 1);
  }
}

TEST(ByteBpe, CutsShortAndLongWordsAsThePlainLoopDoes) {
  Words tokens{"a", "b", "c"};
  std::vector<BpeMerge> merges;
  std::mt19937 random(7);
  while (merges.size() < 60) {
    const auto left = static_cast<int32_t>(random() % tokens.size()),
               right = static_cast<int32_t>(random() % tokens.size());
    const std::string joined =
        tokens[static_cast<size_t>(left)] + tokens[static_cast<size_t>(right)];
    if (joined.size() > 9 || std::find(tokens.begin(), tokens.end(), joined) != tokens.end())
      continue;
    merges.push_back({left, right, static_cast<int32_t>(tokens.size())});
    tokens.push_back(joined);
  }
  const Bpe bpe(tokens, merges, {});
  Bpe::Scratch scratch;
  for (size_t length = 1; length < 400; length += length < 80 ? 1 : 37) {
    std::string word;
    Ids start;
    for (size_t i = 0; i < length; ++i) {
      start.push_back(static_cast<int32_t>(random() % 3));
      word += tokens[static_cast<size_t>(start.back())];
    }
    Ids got;
    size_t at = 0;
    bpe.cut(word, scratch, [&](int32_t id, uint32_t begin, uint32_t end) {
      EXPECT_EQ(begin, at);
      EXPECT_EQ(word.substr(begin, end - begin), tokens[static_cast<size_t>(id)]);
      at = end;
      got.push_back(id);
    });
    EXPECT_EQ(got, merge_plainly(start, merges)) << word;
  }
}

TEST(ByteBpe, PutsRobertasTokensAroundOneTextAndTwo) {
  const Tokenizer tokenizer = small({"a b"});
  const int32_t a = *tokenizer.id("a"), ab = *tokenizer.id("ab");
  EXPECT_EQ(tokenizer.encode_single("ab").ids, (Ids{0, ab, 2}));
  const Encoding pair = tokenizer.encode_pair("ab", "a");
  EXPECT_EQ(pair.ids, (Ids{0, ab, 2, 2, a, 2}));
  EXPECT_EQ(pair.segments, std::vector<uint8_t>(6, 0));
  EXPECT_EQ(tokenizer.encode_pair("ab", "aaa", 6).size(), 6u);
  EXPECT_THROW(tokenizer.encode_pair("ab", "a", 3), Error);
  EXPECT_EQ(tokenizer.cls_id(), 0);
  EXPECT_EQ(tokenizer.sep_id(), 2);
  EXPECT_EQ(tokenizer.pad_id(), 1);
  EXPECT_EQ(tokenizer.mask_id(), 4);
  EXPECT_EQ(tokenizer.unknown_id(), 3);
}

TEST(ByteBpe, LetsTheMaskTakeTheBlankBeforeItAlong) {
  const Tokenizer tokenizer = small({});
  const Encoding got = tokenizer.encode("a <mask> b");
  EXPECT_EQ(got.ids, (Ids{*tokenizer.id("a"), 4, *tokenizer.id("\xC4\xA0"), *tokenizer.id("b")}));
  EXPECT_EQ(got.begin[1], 1u);
  EXPECT_EQ(got.end[1], 8u);
  EXPECT_EQ(got.special[1], 1);
}

TEST(ByteBpe, LeavesBlanksOutOfRobertasOffsetsButNotOutOfGpt2s) {
  const std::vector<std::string> merges{"\xC4\xA0 a"};
  const Encoding trimmed = small(merges).encode(" a"), whole = small(merges, false).encode(" a");
  EXPECT_EQ(trimmed.begin, std::vector<uint32_t>{1});
  EXPECT_EQ(whole.begin, std::vector<uint32_t>{0});
  EXPECT_EQ(trimmed.end, whole.end);
}

TEST(ByteBpe, GivesEveryTextBackAndKeepsBytesThatAreNotUtf8) {
  const Tokenizer tokenizer = small({"\xC3\x83 \xC2\xA9"}, false);
  const std::string text = "caf\xC3\xA9 \n\t x \xE4\xB8\xAD\xF0\x9F\x98\x80";
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text).ids), text);
  EXPECT_EQ(tokenizer.encode("\xC3\xA9").ids.size(), 1u);
  EXPECT_EQ(tokenizer.encode("\xFF\x80").ids.size(), 2u);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("\xFF").ids), "\xEF\xBF\xBD");
}

TEST(ByteBpe, CallsPiecesWithoutABlankContinuations) {
  const Tokenizer tokenizer = small({"\xC4\xA0 a"});
  EXPECT_FALSE(
      tokenizer.is_continuation(*tokenizer.id("\xC4\xA0"
                                              "a")));
  EXPECT_TRUE(tokenizer.is_continuation(*tokenizer.id("a")));
  EXPECT_FALSE(tokenizer.is_continuation(tokenizer.cls_id()));
}

TEST(ByteBpe, RefusesMergesOfTokensItLacks) {
  EXPECT_THROW(Tokenizer::byte_bpe({"a", "b", "ab"}, {"a c"}), Error);
  EXPECT_THROW(Tokenizer::byte_bpe({"a", "b"}, {"a b"}), Error);
  EXPECT_THROW(Tokenizer::byte_bpe({"a", "b", "ab"}, {"ab"}), Error);
  EXPECT_THROW(Tokenizer::byte_bpe({"a", "a"}, {}), Error);
}

}  // namespace
}  // namespace tenfold::text

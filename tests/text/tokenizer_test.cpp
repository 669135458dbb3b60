// The tokenizer on vocabularies small enough to cut by hand, on broken bytes, and on inputs of
// awkward size. Not here: comparison with reference results (golden_test.cpp) and files
// (tokenizer_files_test.cpp).
#include "tenfold/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "tenfold/error.h"

namespace tenfold::text {
namespace {

using Ids = std::vector<int32_t>;
using Places = std::vector<std::pair<uint32_t, uint32_t>>;

Tokenizer small_tokenizer(WordPieceOptions options = {}) {
  return Tokenizer::wordpiece({"[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un",
                               "runn", "##ing", ",", "[PAD]", "[MASK]", "a", "b", "ab"},
                              std::move(options));
}

Places places(const Encoding& encoding) {
  Places out;
  for (size_t i = 0; i < encoding.size(); ++i) out.emplace_back(encoding.begin[i], encoding.end[i]);
  return out;
}

TEST(Tokenizer, CutsGreedilyAndGivesByteOffsets) {
  const Encoding got = small_tokenizer().encode("UNwant\u00E9d,running");
  EXPECT_EQ(got.ids, (Ids{7, 4, 5, 10, 8, 9}));
  EXPECT_EQ(places(got), (Places{{0, 2}, {2, 6}, {6, 9}, {9, 10}, {10, 14}, {14, 17}}));
}

TEST(Tokenizer, TurnsAWordWithoutACutIntoOneUnknown) {
  const Encoding got = small_tokenizer().encode("unwantedX running");
  EXPECT_EQ(got.ids, (Ids{0, 8, 9}));
  EXPECT_EQ(places(got), (Places{{0, 9}, {10, 14}, {14, 17}}));
}

TEST(Tokenizer, GivesNothingForNothing) {
  const Tokenizer tokenizer = small_tokenizer();
  for (const std::string_view text : {"", " ", "\t\n\r", "\xC2\xA0", "\x01\x7F", "\xFF"}) {
    EXPECT_EQ(tokenizer.encode(text).size(), 0u);
  }
  EXPECT_EQ(tokenizer.encode_single("").ids, (Ids{1, 2}));
  EXPECT_EQ(tokenizer.encode_pair("", "").ids, (Ids{1, 2, 2}));
  EXPECT_TRUE(tokenizer.encode_batch({}).empty());
  EXPECT_EQ(tokenizer.encode_ids({}).offsets, (std::vector<int64_t>{0}));
}

TEST(Tokenizer, DropsEveryKindOfBrokenUtf8AndKeepsCountingBytes) {
  const Tokenizer tokenizer = small_tokenizer();
  const std::string_view broken[] = {
      "\xFF",              // no lead byte
      "\x80",              // a lone continuation
      "\xC3",              // cut after the lead
      "\xE2\x82",          // cut inside three bytes
      "\xF0\x9F\x98",      // cut inside four bytes
      "\xC0\xAF",          // overlong, two bytes
      "\xE0\x80\xAF",      // overlong, three bytes
      "\xF0\x80\x80\xAF",  // overlong, four bytes
      "\xED\xA0\x80",      // a surrogate
      "\xF4\x90\x80\x80",  // past U+10FFFF
      "\xF8\x88\x80\x80\x80",
      "\xEF\xBF\xBD",  // U+FFFD itself
  };
  for (const std::string_view bytes : broken) {
    const std::string text = "a" + std::string(bytes) + "b " + std::string(bytes) + "un";
    const auto n = static_cast<uint32_t>(bytes.size());
    const Encoding got = tokenizer.encode(text);
    EXPECT_EQ(got.ids, (Ids{15, 7}));
    EXPECT_EQ(places(got), (Places{{0, n + 2}, {2 * n + 3, 2 * n + 5}}));
  }
  EXPECT_EQ(tokenizer.encode("a\xE2\x82 b").ids,
            (Ids{13, 14}));  // the blank after a cut sequence survives
}

TEST(Tokenizer, RecognisesSpecialLiteralsUnlessTold) {
  const Tokenizer tokenizer = small_tokenizer();
  const Encoding got = tokenizer.encode("a[MASK]b[SEP]");
  EXPECT_EQ(got.ids, (Ids{13, 12, 14, 2}));
  EXPECT_EQ(got.special, (std::vector<uint8_t>{0, 1, 0, 1}));
  EXPECT_EQ(places(got), (Places{{0, 1}, {1, 7}, {7, 8}, {8, 13}}));
  EXPECT_EQ(tokenizer.encode("a[MASK]", SpecialText::plain).ids, (Ids{13, 0, 0, 0}));
}

TEST(Tokenizer, PutsBoundariesAndSegmentsAroundPairs) {
  const Encoding got = small_tokenizer().encode_pair("a b", "un");
  EXPECT_EQ(got.ids, (Ids{1, 13, 14, 2, 7, 2}));
  EXPECT_EQ(got.segments, (std::vector<uint8_t>{0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(got.special, (std::vector<uint8_t>{1, 0, 0, 1, 0, 1}));
}

TEST(Tokenizer, CutsToTheMaximumLengthExactly) {
  const Tokenizer tokenizer = small_tokenizer();
  for (size_t limit = 2; limit < 9; ++limit) {
    EXPECT_EQ(tokenizer.encode_single("a b a b a", limit).size(), std::min<size_t>(limit, 7));
  }
  for (size_t limit = 3; limit < 9; ++limit) {
    EXPECT_EQ(tokenizer.encode_pair("a b", "a b a", limit).size(), std::min<size_t>(limit, 8));
  }
  EXPECT_THROW(tokenizer.encode_single("a", 1), Error);
  EXPECT_THROW(tokenizer.encode_pair("a", "b", 2), Error);
  EXPECT_THROW(tokenizer.encode_pair("a", "b b b", 4, Truncation::only_first), Error);
  EXPECT_THROW(tokenizer.encode_windows("a", "b b b b", 6, 2), Error);
  EXPECT_EQ(tokenizer.encode_windows("a", "b b b b", 6, 1).size(), 3u);
}

TEST(Tokenizer, EncodesABatchLikeOneByOne) {
  const Tokenizer tokenizer = small_tokenizer();
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i)
    texts.push_back(i % 7 == 0 ? "" : std::string(i % 50, 'a') + " un\u00E9 running, b");
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  for (const size_t threads : {1, 2, 5}) {
    for (const size_t limit : {size_t{4}, Tokenizer::kNoLimit}) {
      const BatchOptions options{.threads = threads, .max_length = limit};
      const std::vector<Encoding> batch = tokenizer.encode_batch(views, options);
      const RaggedIds flat = tokenizer.encode_ids(views, options);
      ASSERT_EQ(batch.size(), texts.size());
      ASSERT_EQ(flat.offsets.size(), texts.size() + 1);
      for (size_t i = 0; i < texts.size(); ++i) {
        const Encoding alone = tokenizer.encode_single(texts[i], limit);
        ASSERT_EQ(batch[i], alone) << i;
        ASSERT_EQ(Ids(flat.ids.begin() + flat.offsets[i], flat.ids.begin() + flat.offsets[i + 1]),
                  alone.ids)
            << i;
      }
    }
  }
}

TEST(Tokenizer, DecodesLikeTheStockDecoder) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_single("unwanted, running").ids),
            "[CLS] unwanted, running [SEP]");
  EXPECT_EQ(tokenizer.decode_without_special(tokenizer.encode_single("unwanted, a").ids),
            "unwanted, a");
  EXPECT_THROW(tokenizer.decode(Ids{16}), Error);
  EXPECT_THROW(tokenizer.decode(Ids{-1}), Error);
}

TEST(Tokenizer, NamesTokensAndSpecialIds) {
  const Tokenizer tokenizer = small_tokenizer();
  EXPECT_EQ(tokenizer.size(), 16);
  EXPECT_EQ(tokenizer.token(9), "##ing");
  EXPECT_EQ(tokenizer.id("##ing"), 9);
  EXPECT_EQ(tokenizer.id("##in"), std::nullopt);
  EXPECT_EQ(tokenizer.id(""), std::nullopt);
  EXPECT_TRUE(tokenizer.is_continuation(9));
  EXPECT_FALSE(tokenizer.is_continuation(8));
  EXPECT_EQ((Ids{tokenizer.pad_id(), tokenizer.unknown_id(), tokenizer.cls_id(), tokenizer.sep_id(),
                 tokenizer.mask_id()}),
            (Ids{11, 0, 1, 2, 12}));
  EXPECT_TRUE(tokenizer.is_special(12));
  EXPECT_FALSE(tokenizer.is_special(3));
  EXPECT_THROW(tokenizer.token(16), Error);
}

TEST(Tokenizer, RefusesVocabulariesThatCannotWork) {
  EXPECT_THROW(Tokenizer::wordpiece({"a", "b"}), Error);                         // no [UNK]
  EXPECT_THROW(Tokenizer::wordpiece({"[UNK]", "a", "a"}), Error);                // twice
  EXPECT_THROW(Tokenizer::wordpiece({"[UNK]", ""}), Error);                      // empty
  EXPECT_THROW(Tokenizer::wordpiece({"[UNK]", "\xFF"}), Error);                  // not UTF-8
  EXPECT_THROW(Tokenizer::wordpiece({"[UNK]"}, {.max_word_chars = 0}), Error);   // no word fits
  EXPECT_THROW(Tokenizer::wordpiece({"[UNK]", "a"}).encode_single("a"), Error);  // no [CLS]
}

TEST(Tokenizer, MakesWordsPastTheCapUnknownWhicheverWayTheyAreWritten) {
  const Tokenizer tokenizer = small_tokenizer({.max_word_chars = 100});
  const std::string fits(100, 'a'), too_long(101, 'a'), huge(10'000, 'a');
  EXPECT_EQ(tokenizer.encode(fits).ids, (Ids{0}));
  for (const std::string& word : {too_long, huge, "\u00E4" + huge, huge + "\u00E4"}) {
    const Encoding got = tokenizer.encode("b " + word + " b");
    EXPECT_EQ(got.ids, (Ids{14, 0, 14}));
    EXPECT_EQ(got.end[1], word.size() + 2);
  }
  const Tokenizer repeats = Tokenizer::wordpiece({"[UNK]", "a", "##a"}, {.max_word_chars = 200});
  EXPECT_EQ(repeats.encode(std::string(200, 'a')).size(), 200u);
  EXPECT_EQ(repeats.encode(std::string(201, 'a')).ids, (Ids{0}));
  std::string accented;
  for (int i = 0; i < 200; ++i) accented += "\u00E4";
  EXPECT_EQ(repeats.encode(accented).size(), 200u);
}

std::string line_of(const std::string& unit, size_t size) {
  std::string line;
  line.reserve(size + unit.size());
  while (line.size() < size) line += unit;
  return line;
}

// Processor seconds for one line of `size` bytes made of `unit`.
double seconds_for(const Tokenizer& tokenizer, const std::string& unit, size_t size) {
  const std::string line = line_of(unit, size);
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  Ids ids;
  const double start = now();
  tokenizer.encode_ids_into(line, ids);
  return now() - start;
}

const std::string kAwkwardUnits[] = {
    "a",
    "a ",
    "un",
    "unwanted ",
    ",",
    "[",
    "[MAS",
    "\xFF",
    "\xE2\x82",
    "\u0301",
    "a\u0301",
    "\u302E",
    "a\u302E\u0323",
    "\u4E2D",
    "\uAC00",
    std::string(1, '\0'),
    "\u00E4\u00DF ",
    "##",
};

TEST(Tokenizer, TakesLinearTimeOnAwkwardLines) {
  const Tokenizer tokenizer = small_tokenizer();
  for (const std::string& unit : kAwkwardUnits) {
    double least[3] = {1e9, 1e9, 1e9};  // of 1, 2 and 4 MiB
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 3; ++i)
        least[i] = std::min(least[i], seconds_for(tokenizer, unit, size_t{1} << (20 + i)));
      if (least[1] < 3 * least[0] && least[2] < 6 * least[0]) break;
    }
    // 4 where the time is linear, 16 where it is quadratic; caches take a share.
    EXPECT_LT(least[1], 3 * least[0]) << unit;
    EXPECT_LT(least[2], 6 * least[0]) << unit;
    EXPECT_LT(least[2], 4.0) << unit;
  }
}

/// Encodes one line of `size` bytes in which all units stand next to each other by turns.
void check_long_line(size_t size) {
  const Tokenizer tokenizer = small_tokenizer();
  std::string mixed;
  uint64_t draw = 1;
  for (int i = 0; i < 4000; ++i) {
    draw = draw * 6364136223846793005u + 1442695040888963407u;
    mixed += kAwkwardUnits[(draw >> 33) % std::size(kAwkwardUnits)];
  }
  const std::string block = "b " + mixed + " b ";  // words do not reach across blocks
  const std::string line = line_of(block, size);
  const size_t blocks = line.size() / block.size();
  const Encoding one = tokenizer.encode(block), all = tokenizer.encode(line);
  ASSERT_EQ(all.size(), blocks * one.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const size_t at = i % one.size(), shift = i / one.size() * block.size();
    ASSERT_EQ(all.ids[i], one.ids[at]) << i;
    ASSERT_EQ(all.begin[i], one.begin[at] + shift) << i;
    ASSERT_EQ(all.end[i], one.end[at] + shift) << i;
  }
}

TEST(Tokenizer, KeepsOffsetsExactOverALineOf10Megabytes) { check_long_line(10 << 20); }

TEST(TokenizerSlow, SurvivesLinesOf100Megabytes) {
  const Tokenizer tokenizer = small_tokenizer();
  for (const std::string& unit : kAwkwardUnits) {
    EXPECT_LT(seconds_for(tokenizer, unit, 100 << 20), 60.0) << unit;
  }
  check_long_line(100 << 20);
}

}  // namespace
}  // namespace tenfold::text

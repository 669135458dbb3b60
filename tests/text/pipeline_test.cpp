// tokenizer.json of every kind: the blocks one by one, on files small enough to follow by hand.
// Not here: the stock library's verdict on whole families (tests/interop/tokenizer_families.py).
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tenfold/error.h"
#include "tenfold/tokenizer.h"
#include "text/decoders.h"
#include "text/normalizers.h"
#include "text/splitters.h"

namespace tenfold::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;

constexpr const char* kMark = "\xE2\x96\x81";

std::string utf8(const MappedChars& chars) {
  MappedBytes bytes;
  bytes.assign(chars, {0, chars.size()});
  return bytes.bytes;
}

std::string normalized(const json& block, std::string_view text) {
  MappedChars chars;
  decode_chars(text, 0, chars);
  compile_normalizer(Block(block, "file", "normalizer"))(chars);
  return utf8(chars);
}

TEST(Normalizers, DoWhatTheirNamesSay) {
  EXPECT_EQ(normalized({{"type", "Lowercase"}}, "A\xC3\x89"), "a\xC3\xA9");
  EXPECT_EQ(normalized({{"type", "NFD"}}, "\xC3\xA9"), "e\xCC\x81");
  EXPECT_EQ(normalized({{"type", "NFC"}}, "e\xCC\x81\xCC\xA7"), "\xC8\xA9\xCC\x81");
  EXPECT_EQ(normalized({{"type", "NFC"}}, "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"), "\xEA\xB0\x81");
  EXPECT_EQ(normalized({{"type", "NFKC"}}, "\xEF\xAC\x81\xC2\xB2"), "fi2");
  EXPECT_EQ(normalized({{"type", "NFKD"}}, "\xC2\xBD"),
            "1\xE2\x81\x84"
            "2");
  EXPECT_EQ(normalized({{"type", "StripAccents"}}, "e\xCC\x81"), "e");
  EXPECT_EQ(normalized({{"type", "Strip"}, {"strip_right", false}}, " a "), "a ");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "_"}}, "a"), "_a");
  EXPECT_EQ(normalized({{"type", "Prepend"}, {"prepend", "_"}}, ""), "");
  const json blanks = {{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}};
  EXPECT_EQ(normalized(blanks, "a b   c"), "a b c");
}

TEST(Normalizers, RefuseWhatTheyDoNotUnderstandAndTextsThatGrowWithoutEnd) {
  for (const char* regex : {"a|b", "[ab]", "(?i)a", ".*", "\\w+", "a{2}", "\\"}) {
    const json block = {{"type", "Replace"}, {"pattern", {{"Regex", regex}}}, {"content", ""}};
    EXPECT_THROW(normalized(block, "a"), Error) << regex;
  }
  json steps = json::array();
  for (int i = 0; i < 30; ++i) {
    steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aaaaaaaa"}});
  }
  EXPECT_THROW(normalized({{"type", "Sequence"}, {"normalizers", steps}}, "aaaa"), Error);
}

Words pieces(const json& block, std::string_view text) {
  MappedChars chars;
  decode_chars(text, 0, chars);
  Ranges parts{{0, chars.size()}};
  bool byte_level = false;
  compile_splitter(Block(block, "file", "pre_tokenizer"), byte_level)(chars, parts);
  Words out;
  MappedBytes bytes;
  for (const CharRange& part : parts) {
    bytes.assign(chars, part);
    out.push_back(bytes.bytes);
  }
  return out;
}

TEST(Splitters, DoWhatTheirNamesSay) {
  EXPECT_EQ(pieces({{"type", "WhitespaceSplit"}}, " a  b! "), (Words{"a", "b!"}));
  EXPECT_EQ(pieces({{"type", "Whitespace"}}, "a_1  b!? c"), (Words{"a_1", "b", "!?", "c"}));
  EXPECT_EQ(pieces({{"type", "BertPreTokenizer"}}, "a b!?"), (Words{"a", "b", "!", "?"}));
  EXPECT_EQ(pieces({{"type", "Digits"}}, "ab12c"), (Words{"ab", "12", "c"}));
  EXPECT_EQ(pieces({{"type", "Digits"}, {"individual_digits", true}}, "12"), (Words{"1", "2"}));
  EXPECT_EQ(pieces({{"type", "ByteLevel"}, {"add_prefix_space", true}}, "a b"),
            (Words{" a", " b"}));
}

TEST(Splitters, MergeMatchesAsTheBehaviorSays) {
  const auto split = [](const char* behavior) {
    return pieces({{"type", "Split"},
                   {"pattern", {{"String", "-"}}},
                   {"behavior", behavior},
                   {"invert", false}},
                  "a--b-c");
  };
  EXPECT_EQ(split("Removed"), (Words{"a", "b", "c"}));
  EXPECT_EQ(split("Isolated"), (Words{"a", "-", "-", "b", "-", "c"}));
  EXPECT_EQ(split("MergedWithPrevious"), (Words{"a-", "-", "b-", "c"}));
  EXPECT_EQ(split("MergedWithNext"), (Words{"a", "-", "-b", "-c"}));
  EXPECT_EQ(split("Contiguous"), (Words{"a", "--", "b", "-", "c"}));
}

TEST(Splitters, PutTheMetaspaceMarkBeforeWords) {
  const auto split = [](const char* scheme) {
    return pieces({{"type", "Metaspace"},
                   {"replacement", kMark},
                   {"prepend_scheme", scheme},
                   {"split", true}},
                  "a b");
  };
  EXPECT_EQ(split("always"), (Words{std::string(kMark) + "a", std::string(kMark) + "b"}));
  EXPECT_EQ(split("never"), (Words{"a", std::string(kMark) + "b"}));
}

std::string decoded(const json& block, Words tokens) {
  compile_decoder(Block(block, "file", "decoder"))(tokens);
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

TEST(Decoders, DoWhatTheirNamesSay) {
  EXPECT_EQ(decoded({{"type", "WordPiece"}, {"cleanup", false}}, {"a", "##b", "."}), "ab .");
  EXPECT_EQ(decoded({{"type", "ByteLevel"}}, {"a",
                                              "\xC4\xA0"
                                              "b"}),
            "a b");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", kMark}},
                    {std::string(kMark) + "a", std::string(kMark) + "b"}),
            "a b");
  EXPECT_EQ(decoded({{"type", "BPEDecoder"}}, {"a", "b</w>", "c</w>"}), "ab c");
  EXPECT_EQ(decoded({{"type", "ByteFallback"}}, {"<0xC3>", "<0xA9>", "x", "<0xC3>"}),
            "\xC3\xA9x\xEF\xBF\xBD");
  EXPECT_EQ(decoded({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}, {"  a"}),
            " a");
}

class PipelineFiles : public ::testing::Test {
 protected:
  PipelineFiles()
      : folder_(fs::temp_directory_path() / ("tenfold_pipeline_" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~PipelineFiles() override { fs::remove_all(folder_); }

  Tokenizer load(const json& object) {
    std::ofstream(folder_ / "tokenizer.json") << object.dump();
    return Tokenizer::load(folder_);
  }
  fs::path folder_;
};

json pieces_with_scores() {
  const std::string mark = kMark;
  json out = json::array();
  const std::pair<std::string, double> pieces[] = {{"<unk>", 0},       {"</s>", 0}, {mark, -2},
                                                   {mark + "dog", -3}, {"s", -4},   {"dog", -5}};
  for (const auto& [piece, score] : pieces) out.push_back(json::array({piece, score}));
  return out;
}

json unigram_file() {
  const std::string mark = kMark;
  return {
      {"added_tokens",
       {{{"id", 1}, {"content", "</s>"}, {"special", true}},
        {{"id", 6}, {"content", "cat"}, {"special", false}, {"single_word", true}},
        {{"id", 7}, {"content", "<x>"}, {"special", true}, {"lstrip", true}, {"rstrip", true}}}},
      {"normalizer", {{"type", "Lowercase"}}},
      {"pre_tokenizer",
       {{"type", "Metaspace"}, {"replacement", mark}, {"prepend_scheme", "always"}}},
      {"decoder", {{"type", "Metaspace"}, {"replacement", mark}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single",
         {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
          {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
        {"pair",
         {{{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
          {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}},
          {{"Sequence", {{"id", "B"}, {"type_id", 0}}}},
          {{"SpecialToken", {{"id", "</s>"}, {"type_id", 0}}}}}},
        {"special_tokens", {{"</s>", {{"id", "</s>"}, {"ids", {1}}, {"tokens", {"</s>"}}}}}}}},
      {"model", {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", pieces_with_scores()}}}};
}

TEST_F(PipelineFiles, OfUnigramCutWordsAndKeepTheirPlaces) {
  const Tokenizer tokenizer = load(unigram_file());
  EXPECT_EQ(tokenizer.kind(), TokenizerKind::unigram);
  const Encoding got = tokenizer.encode("Dogs dog");
  EXPECT_EQ(got.ids, (Ids{3, 4, 3}));
  EXPECT_EQ(got.begin, (std::vector<uint32_t>{0, 3, 4}));
  EXPECT_EQ(got.end, (std::vector<uint32_t>{3, 4, 8}));
  EXPECT_EQ(tokenizer.encode("dog??").ids, (Ids{3, 0}));  // unknown neighbours are one piece
  EXPECT_EQ(tokenizer.encode_single("dog").ids, (Ids{3, 1}));
  EXPECT_EQ(tokenizer.encode_pair("dog", "s").ids, (Ids{3, 1, 2, 4, 1}));
  EXPECT_EQ(tokenizer.cls_id(), -1);
  EXPECT_EQ(tokenizer.sep_id(), 1);
  EXPECT_EQ(tokenizer.unknown_id(), 0);
  EXPECT_EQ(tokenizer.decode(got.ids), "dogs dog");
  EXPECT_TRUE(tokenizer.is_continuation(4));
  EXPECT_FALSE(tokenizer.is_continuation(3));
}

TEST_F(PipelineFiles, FindAddedTokensByTheirRules) {
  const Tokenizer tokenizer = load(unigram_file());
  // A token that is no special one is looked for in the normalised text by default.
  EXPECT_EQ(tokenizer.encode("CAT dog").ids, (Ids{6, 3}));
  EXPECT_EQ(tokenizer.encode("cats").ids.back(), 4);
  const Encoding got = tokenizer.encode("dog <x> dog");
  EXPECT_EQ(got.ids, (Ids{3, 7, 3}));
  EXPECT_EQ(got.begin[1], 3u);
  EXPECT_EQ(got.end[1], 8u);
  EXPECT_NE(tokenizer.encode("dog <x> dog", SpecialText::plain).ids, got.ids);
}

TEST_F(PipelineFiles, GiveTheSameIdsOnceSavedAndOtherRulesAnotherLine) {
  const Tokenizer tokenizer = load(unigram_file());
  tokenizer.save(folder_ / "copy");
  const Tokenizer copy = Tokenizer::load(folder_ / "copy");
  const std::string text = "The dogs, cat <x> dog?</s>s";
  EXPECT_EQ(copy.encode(text), tokenizer.encode(text));
  EXPECT_EQ(copy.rules(), tokenizer.rules());
  json other = unigram_file();
  other["normalizer"] = nullptr;
  EXPECT_NE(load(other).rules(), tokenizer.rules());
}

TEST_F(PipelineFiles, AreRefusedWithTheSettingThatIsNotUnderstood) {
  const auto refused = [&](const char* pointer, const json& value, ErrorKind kind,
                           const char* word) {
    json bad = unigram_file();
    bad[json::json_pointer(pointer)] = value;
    try {
      load(bad);
      ADD_FAILURE() << pointer << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  };
  refused("/model/unk_id", nullptr, ErrorKind::unsupported, "unk_id");
  refused("/model/unk_id", 99, ErrorKind::checkpoint, "unk_id");
  refused("/model/vocab/2", "x", ErrorKind::checkpoint, "place 2");
  refused("/model/vocab/2/1", "x", ErrorKind::checkpoint, "place 2");
  refused("/model/vocab", json::array(), ErrorKind::checkpoint, "empty");
  refused("/pre_tokenizer/prepend_scheme", "last", ErrorKind::unsupported, "last");
  refused("/pre_tokenizer/replacement", "ab", ErrorKind::checkpoint, "replacement");
  refused("/pre_tokenizer", {{"type", "ByteLevel"}}, ErrorKind::unsupported, "ByteLevel");
  refused("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA"}},
          ErrorKind::checkpoint, "precompiled_charsmap");
  refused("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "*"}},
          ErrorKind::checkpoint, "base64");
}

}  // namespace
}  // namespace tenfold::text

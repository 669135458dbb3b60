// Tokenizer directories: written and read back, odd but valid ones, and hostile ones refused by
// name. Not here: the stock packages reading them (tests/interop/tokenizer_interop.py).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "corpus_files.h"
#include "tenfold/error.h"
#include "tenfold/tokenizer.h"

namespace tenfold::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using Ids = std::vector<int32_t>;

const std::vector<std::string> kTokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]",  "[MASK]",
                                       "a",     "##b",   "A",     "\u4E2D", "\u00E9"};

class TokenizerFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tenfold_tokenizer_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void put(const char* name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  json written() {
    Tokenizer::wordpiece(kTokens).save(folder_);
    return json::parse(slurp(folder_ / "tokenizer.json"));
  }

  void refuses(ErrorKind kind, const std::string& word) {
    try {
      Tokenizer::load(folder_);
      ADD_FAILURE() << "accepted, expected a refusal naming " << word;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(word));
    }
  }

  fs::path folder_;
};

TEST_F(TokenizerFiles, ReadBackWhatTheyWrite) {
  const WordPieceOptions variants[] = {
      {},
      {.lowercase = false},
      {.lowercase = true, .strip_accents = false},
      {.lowercase = false, .strip_accents = true, .split_chinese = false},
      {.max_word_chars = 1},
      {.clean_text = false}};
  for (const WordPieceOptions& options : variants) {
    const Tokenizer tokenizer = Tokenizer::wordpiece(kTokens, options);
    tokenizer.save(folder_);
    const Tokenizer again = Tokenizer::load(folder_);
    EXPECT_EQ(again.options(), options);
    EXPECT_EQ(again.size(), tokenizer.size());
    for (const std::string_view text : {"ab A\u4E2D\u00E9 [MASK]", "\x01 a\u0301", "AB"}) {
      EXPECT_EQ(again.encode_single(text), tokenizer.encode_single(text));
    }
  }
}

TEST_F(TokenizerFiles, NeedOnlyAVocabulary) {
  put("vocab.txt", "[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\n##b");
  EXPECT_EQ(Tokenizer::load(folder_).encode_single("AB").ids, (Ids{1, 3, 4, 2}));
  put("tokenizer_config.json", R"({"do_lower_case": false, "unk_token": {"content": "[UNK]"}})");
  EXPECT_EQ(Tokenizer::load(folder_).encode_single("AB").ids, (Ids{1, 0, 2}));
}

TEST_F(TokenizerFiles, GiveATokenOnTwoLinesTheLastIdAndKeepTheIdsOfAll) {
  put("vocab.txt", "[UNK]\na\nb\na\nc\n");
  for (int round = 0; round < 3; ++round) {  // from vocab.txt, then from what was written before
    const Tokenizer tokenizer = Tokenizer::load(folder_);
    EXPECT_EQ(tokenizer.encode("a b c").ids, (Ids{3, 2, 4}));
    EXPECT_EQ(tokenizer.size(), 5);
    tokenizer.save(folder_);
  }
  fs::remove(folder_ / "tokenizer.json");
  EXPECT_EQ(Tokenizer::load(folder_).encode("a b c").ids, (Ids{3, 2, 4}));
}

TEST_F(TokenizerFiles, KeepAddedTokensBeyondTheVocabulary) {
  json object = written();
  object["added_tokens"].push_back({{"id", 10}, {"content", "<x>"}, {"special", false}});
  put("tokenizer.json", object.dump());
  const Tokenizer tokenizer = Tokenizer::load(folder_);
  EXPECT_EQ(tokenizer.size(), 11);
  EXPECT_EQ(tokenizer.encode("a<x>a", SpecialText::plain).ids, (Ids{5, 10, 5}));
  tokenizer.save(folder_);
  EXPECT_EQ(Tokenizer::load(folder_).encode("a<x>a").ids, (Ids{5, 10, 5}));
}

TEST_F(TokenizerFiles, AreRefusedWhereTheyAreMissingOrDamaged) {
  refuses(ErrorKind::checkpoint, "vocab.txt");
  put("vocab.txt", "");
  refuses(ErrorKind::checkpoint, "no tokens");
  put("vocab.txt", "[UNK]\n\na\n");
  refuses(ErrorKind::checkpoint, "vocab.txt:2");
  put("vocab.txt", "a\nb\n");
  refuses(ErrorKind::checkpoint, "[UNK]");
  put("vocab.txt", "[UNK]\n\xC3\x28\n");
  refuses(ErrorKind::checkpoint, "UTF-8");
  put("vocab.txt", "[UNK]\n");
  put("tokenizer_config.json", R"({"do_lower_case": "yes"})");
  refuses(ErrorKind::checkpoint, "do_lower_case");
  put("tokenizer_config.json", R"({"tokenizer_class": "T5Tokenizer"})");
  refuses(ErrorKind::unsupported, "T5Tokenizer");
}

TEST_F(TokenizerFiles, AreRefusedWithTheBlockThatIsNotUnderstood) {
  struct Case {
    const char* pointer;
    json value;
    ErrorKind kind;
    const char* word;
  };
  const Case cases[] = {
      {"/model/type", "WordLevel", ErrorKind::unsupported, "WordLevel"},
      {"/model/vocab", json::array({1, 2}), ErrorKind::checkpoint, "vocab"},
      {"/model/vocab/a", -1, ErrorKind::checkpoint, "'a'"},
      {"/model/vocab/a", 1.5, ErrorKind::checkpoint, "'a'"},
      {"/model/vocab/a", 4'000'000'000u, ErrorKind::checkpoint, "'a'"},
      {"/model/vocab/a", 7, ErrorKind::checkpoint, "id 7"},
      {"/model/unk_token", "<none>", ErrorKind::checkpoint, "<none>"},
      {"/model/unk_token", 3, ErrorKind::checkpoint, "unk_token"},
      {"/model/max_input_chars_per_word", 0, ErrorKind::checkpoint, "max_input_chars_per_word"},
      {"/model/dropout", 0.1, ErrorKind::unsupported, "dropout"},
      {"/normalizer/type", "Nmt", ErrorKind::unsupported, "Nmt"},
      {"/normalizer/surprise", 1, ErrorKind::unsupported, "surprise"},
      {"/normalizer/lowercase", "true", ErrorKind::checkpoint, "lowercase"},
      {"/pre_tokenizer/type", "CharDelimiterSplit", ErrorKind::unsupported, "CharDelimiterSplit"},
      {"/pre_tokenizer/type", "ByteLevel", ErrorKind::unsupported, "ByteLevel"},
      {"/post_processor/type", "Other", ErrorKind::unsupported, "Other"},
      {"/post_processor/pair/3/Sequence/id", "A", ErrorKind::unsupported, "pair"},
      {"/post_processor/pair/3/Sequence/id", "C", ErrorKind::checkpoint, "'C'"},
      {"/post_processor/special_tokens/[CLS]/ids", json::array({99}), ErrorKind::checkpoint, "99"},
      {"/decoder/type", "CTC", ErrorKind::unsupported, "CTC"},
      {"/added_tokens/0/surprise", true, ErrorKind::unsupported, "surprise"},
      {"/added_tokens/0/id", 5, ErrorKind::checkpoint, "id 5"},
      {"/added_tokens/0/id", 1 << 30, ErrorKind::checkpoint, "id"},
      {"/added_tokens/0/content", "", ErrorKind::checkpoint, "empty"},
      {"/surprise", 1, ErrorKind::unsupported, "surprise"},
  };
  const json good = written();
  for (const Case& c : cases) {
    json bad = good;
    bad[json::json_pointer(c.pointer)] = c.value;
    put("tokenizer.json", bad.dump());
    SCOPED_TRACE(c.pointer);
    refuses(c.kind, c.word);
  }
}

TEST_F(TokenizerFiles, AreRefusedWhereTheJsonItselfIsHostile) {
  const std::string good = written().dump();
  put("tokenizer.json", std::string(100'000, '['));
  refuses(ErrorKind::checkpoint, "deep");
  put("tokenizer.json", R"({"model": {}, "model": {}})");
  refuses(ErrorKind::checkpoint, "twice");
  put("tokenizer.json", "[]");
  refuses(ErrorKind::checkpoint, "object");
  put("tokenizer.json", "");
  refuses(ErrorKind::checkpoint, "JSON");
  for (size_t length = 0; length < good.size();
       length += 7) {  // truncation anywhere is an error, never a crash
    put("tokenizer.json", good.substr(0, length));
    EXPECT_THROW(Tokenizer::load(folder_), Error) << length;
  }
  for (size_t i = 0; i < 2000; ++i) {  // flipped bits load or are refused, never worse
    std::string flipped = good;
    flipped[i * 7919 % good.size()] ^= static_cast<char>(1 << i % 8);
    put("tokenizer.json", flipped);
    try {
      Tokenizer::load(folder_).encode("ab [MASK]");
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace tenfold::text

// Large hostile files: no reader takes more than the file's size and 64 MB, nor more than 1 s for
// each 100 MB begun, and each refusal is one short line. Not here: small inputs (replay.cpp).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <random>
#include <string>

#include "config/reader.h"
#include "data/object_rows.h"
#include "data/readers.h"
#include "data/shards.h"
#include "data/span_rows.h"
#include "data/tagged_rows.h"
#include "data/task.h"
#include "heap_count.h"
#include "model/checkpoint.h"
#include "support/files.h"
#include "tenfold/error.h"
#include "tenfold/tokenizer.h"
#include "tensor/safetensors_tensors.h"
#include "torch_file.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMegabyte = 1 << 20;

/// `piece` again and again, at least `bytes` long.
std::string repeat(std::string_view piece, size_t bytes) {
  std::string text;
  text.reserve(bytes + piece.size());
  while (text.size() < bytes) text += piece;
  return text;
}

/// `make(0)`, `make(1)`, ... at least `bytes` long.
std::string number_off(size_t bytes, const std::function<std::string(size_t)>& make) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += make(i);
  return text;
}

std::string with_length(const std::string& header) {
  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header;
}

class Limits : public ::testing::Test {
 protected:
  Limits()
      : folder_((fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path()) /
                ("tenfold_limits_" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Limits() override { fs::remove_all(folder_); }

  fs::path put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    size_ = bytes.size();
    return folder_ / name;
  }

  /// Runs the reader over the file put last; whether it was accepted.
  bool within_limits(const std::string& what, const std::function<void()>& read) {
    const heap::Peak heap;
    const std::clock_t begin = std::clock();  // of the process: neighbours do not count
    bool accepted = true;
    try {
      read();
    } catch (const Error& error) {
      accepted = false;
      EXPECT_LT(std::strlen(error.what()), 2048u) << what;
      EXPECT_EQ(std::strchr(error.what(), '\n'), nullptr) << what;
      last_error_ = error.what();
    }
    const double took = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    const size_t hundreds = size_ / (100 * kMegabyte) + 1;
    EXPECT_LE(took, static_cast<double>(hundreds)) << what << ": " << last_error_;
    EXPECT_LE(heap.bytes() / kMegabyte, size_ / kMegabyte + 64) << what << ": " << last_error_;
    std::printf("%-34s %6.1f MB: %s, %6.1f MB, %.3f s\n", what.c_str(),
                static_cast<double>(size_) / kMegabyte, accepted ? "accepted" : "refused",
                static_cast<double>(heap.bytes()) / kMegabyte, took);
    return accepted;
  }

  fs::path folder_;
  size_t size_ = 0;
  std::string last_error_;
};

/// Bad JSON that any JSON reader may meet, of about `bytes`.
std::vector<std::pair<std::string, std::string>> json_giants(size_t bytes) {
  return {{"lists", "[" + repeat("[],", bytes) + "[]]"},
          {"objects", "{\"added_tokens\":[" + repeat("{},", bytes) + "{}]}"},
          {"numbers", "{\"files\":[" + repeat("0,", bytes) + "0]}"},
          {"texts", "{\"files\":[" + repeat("\"a\",", bytes) + "\"a\"]}"},
          {"deep lists", repeat("[", bytes)},
          {"deep objects", repeat("{\"a\":", bytes)},
          {"one text", "{\"a\":\"" + std::string(bytes, 'x') + "\"}"},
          {"one number", "{\"a\":" + std::string(bytes, '7') + "}"},
          {"many keys",
           "{" + number_off(bytes, [](size_t i) { return "\"" + std::to_string(i) + "\":0,"; }) +
               "\"x\":0}"},
          {"one key", "{" + repeat("\"a\":0,", bytes) + "\"a\":0}"},
          {"blanks", std::string(bytes, ' ')},
          {"backslashes", "{\"a\":\"" + std::string(bytes, '\\') + "\"}"}};
}

TEST_F(Limits, Safetensors) {
  const auto read = [&](const std::string& what, const std::string& header) {
    const auto path = put("model.safetensors", with_length(header));
    return within_limits("safetensors, " + what, [&] { SafetensorsFile::open(path); });
  };
  for (const auto& [what, text] : json_giants(20 * kMegabyte)) EXPECT_FALSE(read(what, text));
  const auto tensor = [](size_t i) {
    return "\"" + std::to_string(i) + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},";
  };
  const auto last = "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}";
  EXPECT_FALSE(read("too many tensors", "{" + number_off(20 * kMegabyte, tensor) + last));
  EXPECT_TRUE(read("60,000 tensors", "{" + number_off(60'000 * 58, tensor) + last));
  EXPECT_FALSE(read("metadata", "{\"__metadata__\":{" + number_off(30 * kMegabyte, [](size_t i) {
                                  return "\"" + std::to_string(i) + "\":\"\",";
                                }) + "\"x\":\"\"}}"));
  EXPECT_FALSE(read("long names", "{" + number_off(35 * kMegabyte, [&](size_t i) {
                                    return "\"" + std::string(505, 'n') + tensor(i).substr(1);
                                  }) + "}"));
  put("model.safetensors", with_length("{}") + std::string(8, '\xff'));
  EXPECT_FALSE(within_limits("safetensors, trailing bytes",
                             [&] { SafetensorsFile::open(folder_ / "model.safetensors"); }));
}

TEST_F(Limits, Pytorch) {
  namespace pickle = testing::pickle;
  const auto read = [&](const std::string& what, const std::string& bytes) {
    const auto path = put("pytorch_model.bin", bytes);
    return within_limits("pytorch, " + what,
                         [&] { MappedTensors::open_torch_checkpoint(path, Access::whole); });
  };
  const auto refused = [&](const std::string& what, const std::string& ops) {
    EXPECT_FALSE(read(what, testing::torch_archive("\x80\x02" + ops, {})));
  };
  constexpr size_t kBytes = 20 * kMegabyte;
  refused("nones", repeat("N", kBytes));
  refused("marks", repeat("(", kBytes));
  refused("memos", "N" + repeat("\x94", kBytes));
  refused("recalls", std::string("Nq\0", 3) + repeat(std::string("h\0", 2), kBytes));
  refused("tuples", ")" + repeat("\x85", kBytes));
  refused("many tuples", repeat(")\x85", kBytes));
  refused(
      "one long tuple again and again",
      "(" + repeat("N", 200'000) + std::string("tq\0", 3) +
          repeat(pickle::global("collections", "OrderedDict") + std::string("h\0R", 3), kBytes));
  refused("one text", pickle::text(std::string(kBytes, 'x')) + ".");
  refused("one function", pickle::global(std::string(kBytes, 'x'), "y"));
  refused("dicts", repeat("}", kBytes));
  refused("a pickle above the limit", std::string(70 * kMegabyte, 'N'));
  const std::string value = pickle::tensor(pickle::storage("FloatStorage", "0", 1), 0, {1}, {1}) +
                            "q" + std::string(1, 0);
  EXPECT_FALSE(read("one tensor under many names",
                    testing::torch_archive("\x80\x02}(" + pickle::text("first") + value +
                                               number_off(kBytes,
                                                          [](size_t i) {
                                                            return pickle::text(std::to_string(i)) +
                                                                   std::string("h\0", 2);
                                                          }) +
                                               "u.",
                                           {std::string(4, '\0')})));
  std::vector<std::pair<std::string, std::string>> many;
  for (size_t i = 0; i < 5'000; ++i)
    many.emplace_back("w" + std::to_string(i),
                      pickle::tensor(pickle::storage("FloatStorage", "0", 1), 0, {1}, {1}));
  EXPECT_TRUE(read("5,000 tensors",
                   testing::torch_archive(pickle::state_dict(many), {std::string(4, '\0')})));
  std::vector<testing::ArchiveEntry> entries(65'000);
  for (size_t i = 0; i < entries.size(); ++i)
    entries[i].name = "archive/" + std::string(200, 'n') + std::to_string(i);
  EXPECT_FALSE(read("65,000 entries", testing::zip_archive(entries)));
}

TEST_F(Limits, ConfigJson) {
  const auto read = [&](const std::string& what, const std::string& text) {
    put("config.json", text);
    return within_limits("config.json, " + what, [&] { model::read_description(folder_); });
  };
  for (const auto& [what, text] : json_giants(15 * kMegabyte)) read(what, text);
  const std::string layers = "{\"tenfold\":{\"model\":{\"layers\":[";
  EXPECT_FALSE(read("layers", layers + repeat("{},", 15 * kMegabyte) + "{}]}}}"));
  EXPECT_FALSE(read("lists of lists", layers + repeat("[[]],", 1 * kMegabyte) + "[]]}}}"));
  EXPECT_FALSE(read("small layers", layers + repeat("{},", 300'000) + "{}]}}}"));
  read("labels", "{\"id2label\":{" + number_off(4 * kMegabyte, [](size_t i) {
                   return "\"" + std::to_string(i) + "\":\"l\",";
                 }) + "\"x\":0}}");
}

TEST_F(Limits, TokenizerJson) {
  const auto read = [&](const std::string& what, const std::string& text) {
    put("tokenizer.json", text);
    return within_limits("tokenizer.json, " + what, [&] { Tokenizer::load(folder_); });
  };
  for (const auto& [what, text] : json_giants(20 * kMegabyte)) EXPECT_FALSE(read(what, text));
  const std::string head =
      "{\"normalizer\":{\"type\":\"BertNormalizer\"},\"pre_tokenizer\":{\"type\":"
      "\"BertPreTokenizer\"},\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"vocab\":{"
      "\"[UNK]\":0";
  const auto member = [](size_t i) {
    return ",\"t" + std::to_string(i * 7919 % 1'000'003) + "\":" + std::to_string(i + 1);
  };
  EXPECT_TRUE(read("500,000 tokens", head + number_off(500'000 * 16, member) + "}}}"));
  EXPECT_FALSE(read("3 million tokens", head + number_off(50 * kMegabyte, [](size_t i) {
                                          return ",\"t" + std::to_string(i) +
                                                 "\":" + std::to_string(i + 1);
                                        }) + "}}}"));
  EXPECT_FALSE(read("one token", head + repeat(",\"a\":1", 40 * kMegabyte) + "}}}"));
  EXPECT_FALSE(read("far id", head + ",\"a\":8388607}}}"));
  EXPECT_FALSE(
      read("added tokens", "{\"added_tokens\":[" + number_off(20 * kMegabyte, [](size_t i) {
                             return "{\"id\":" + std::to_string(i) + ",\"content\":\"x" +
                                    std::to_string(i) + "\"},";
                           }) + "{}]}"));
}

TEST_F(Limits, VocabularyText) {
  const auto read = [&](const std::string& what, const std::string& text) {
    put("vocab.txt", text);
    return within_limits("vocab.txt, " + what, [&] { Tokenizer::load(folder_); });
  };
  EXPECT_FALSE(read("short lines", "[UNK]\n" + repeat("a\n", 20 * kMegabyte)));
  EXPECT_FALSE(read("one line", "[UNK]\n" + std::string(20 * kMegabyte, 'a')));
  EXPECT_FALSE(read("long tokens", "[UNK]\n" + number_off(20 * kMegabyte, [](size_t i) {
                                     return std::string(10'000, 'a') + std::to_string(i) + "\n";
                                   })));
  std::mt19937 random(1);
  read("random tokens", "[UNK]\n" + number_off(6 * kMegabyte, [&](size_t) {
                          std::string token(9, ' ');
                          for (char& c : token) c = static_cast<char>('!' + random() % 94);
                          return token + "\n";
                        }));
  EXPECT_TRUE(read("500,000 words", "[UNK]\n" + number_off(500'000 * 10, [](size_t i) {
                                      return "w" + std::to_string(1'000'000 + i) + "\n";
                                    })));
}

TEST_F(Limits, Recipe) {
  const auto read = [&](const std::string& what, const std::string& text) {
    const auto path = put("recipe.toml", text);
    return within_limits("recipe, " + what, [&] { config::Document::load(path); });
  };
  for (const size_t bytes : {250 * kMegabyte / 1024, 20 * kMegabyte}) {
    read("lists", "a = [" + repeat("[],", bytes) + "]");
    read("tables", "a = [" + repeat("{},", bytes) + "{}]");
    read("keys", number_off(bytes, [](size_t i) { return "k" + std::to_string(i) + "=1\n"; }));
    read("dotted keys", repeat("a.", bytes) + "b = 1");
    read("arrays of tables", repeat("[[a]]\n", bytes));
    read("deep lists", "a = " + repeat("[", bytes));
    read("deep tables", "a = " + repeat("{a=", bytes));
    read("one text", "a = \"" + std::string(bytes, 'x') + "\"");
    read("comment", "#" + std::string(bytes, 'x'));
    const std::string key = repeat("a.", 62) + "a={";
    read("long keys in tables", repeat(key, std::min<size_t>(bytes, 250 * key.size())));
    read("long keys, closed", repeat(key, 250 * key.size()) + repeat("}", 250));
    EXPECT_FALSE(read("dotted header", "[" + repeat("a.", bytes) + "a]"));
  }
}

TEST_F(Limits, Shards) {
  for (const auto& [what, text] : json_giants(20 * kMegabyte)) {
    put("shards.json", text);
    EXPECT_FALSE(within_limits("shards.json, " + what, [&] { data::ShardSet::open(folder_); }));
  }
}

TEST_F(Limits, Rows) {
  auto giants = json_giants(7 * kMegabyte);
  for (auto& giant : json_giants(20 * kMegabyte)) giants.push_back(std::move(giant));
  for (const auto& [what, text] : giants) {
    const auto path = put("rows.jsonl", text);
    within_limits("JSON lines, " + what, [&] {
      data::DocumentReader reader({path}, {});
      while (reader.next()) {
      }
    });
    within_limits("labelled rows, " + what,
                  [&] { data::read_task(path, {}, data::Labels::required); });
  }
  const auto path = put("deep.jsonl", "{\"text\":" + repeat("[", kMegabyte) +
                                          repeat("]", kMegabyte) + ",\"label\":1}");
  EXPECT_FALSE(within_limits("labelled rows, deep value",
                             [&] { data::read_task(path, {}, data::Labels::required); }));
}

TEST_F(Limits, TaskRows) {
  const auto read = [&](const std::string& what, const std::string& text) {
    const auto path = put("rows.json", text);
    const data::ReadingRules skip{.skip_bad = true};
    within_limits("SQuAD, " + what, [&] { data::read_spans(path, skip, data::Labels::optional); });
    within_limits("n-best, " + what, [&] { data::read_nbest(path, skip, data::Labels::optional); });
    within_limits("CoNLL, " + what,
                  [&] { data::read_tagged(path, {.skip_bad = true}, data::Labels::optional); });
  };
  for (const auto& [what, text] : json_giants(10 * kMegabyte)) read(what, text);
  const std::string head = "{\"data\":[{\"paragraphs\":[{\"context\":\"";
  const std::string answer = "{\"text\":\"x\",\"answer_start\":3999999},";
  read("far answers", head + std::string(4'000'000, 'a') +
                          "\",\"qas\":[{\"id\":\"1\",\"question\":\"q\",\"answers\":[" +
                          repeat(answer, 8 * kMegabyte) + answer.substr(0, answer.size() - 1) +
                          "]}]}]}]}");
  read("many paragraphs",
       "{\"data\":[{\"paragraphs\":[" + repeat("{\"context\":\"a\"},", 10 * kMegabyte) + "{}]}]}");
  read("many articles", "{\"data\":[" + repeat("[[]],", 10 * kMegabyte) + "{}]}");
  read("twice", "{" + repeat("\"u\":{\"hyp_1\":{\"score\":1,\"text\":\"a\"}},", 10 * kMegabyte) +
                    "\"v\":1}");
  read("long words", repeat(std::string(100'000, 'w') + "\tB-x\n", 10 * kMegabyte));
}

}  // namespace
}  // namespace tenfold

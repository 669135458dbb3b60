// The reader behind tokenizer_json.h: one function a block, each of which accepts what BERT needs
// and no more. Not here: writing (tokenizer_files.cpp).
#include "text/tokenizer_json.h"

#include <algorithm>
#include <initializer_list>

#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "text/utf8.h"

namespace tenfold::text {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxJsonBytes = 100ull << 20;
constexpr size_t kMaxGaps = 1 << 16;  // ids that no token has, which cost memory all the same

// One object of the file with its path, so that every complaint can say where.
class Block {
 public:
  Block(const json& value, std::string file, std::string path)
      : value_(value), file_(std::move(file)), path_(std::move(path)) {
    if (!value.is_object()) damaged("must be an object, got {}", value.type_name());
  }

  template <typename... Args>
  [[noreturn]] void damaged(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::checkpoint, "tokenizer", "{}: {} {}", file_, path_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  [[noreturn]] void unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::unsupported, "tokenizer", "{}: {} {}", file_, path_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  void allow_keys(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : value_.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        unsupported("has an unknown key '{}'", key);
    }
  }
  bool has(std::string_view key) const {
    return value_.contains(key) && !value_[std::string(key)].is_null();
  }
  const json& at(std::string_view key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) damaged("lacks '{}'", key);
    return *found;
  }
  Block block(std::string_view key) const {
    return {at(key), file_, path_ + "." + std::string(key)};
  }
  Block item(const json& value, size_t index) const {
    return {value, file_, fmt::format("{}[{}]", path_, index)};
  }

  std::string text(std::string_view key) const {
    if (!at(key).is_string()) damaged("'{}' must be a string, got {}", key, at(key).type_name());
    return at(key).get<std::string>();
  }
  std::string text(std::string_view key, std::string fallback) const {
    return has(key) ? text(key) : fallback;
  }
  bool flag(std::string_view key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!at(key).is_boolean())
      damaged("'{}' must be true or false, got {}", key, at(key).type_name());
    return at(key).get<bool>();
  }
  int64_t count(std::string_view key, int64_t limit) const {
    if (!at(key).is_number_integer())
      damaged("'{}' must be a whole number, got {}", key, at(key).type_name());
    const bool fits =
        at(key).is_number_unsigned() && at(key).get<uint64_t>() < static_cast<uint64_t>(limit);
    if (!fits) damaged("'{}' must be from 0 to {}, got {}", key, limit - 1, at(key).dump());
    return at(key).get<int64_t>();
  }
  const json& array(std::string_view key) const {
    if (!at(key).is_array()) damaged("'{}' must be an array, got {}", key, at(key).type_name());
    return at(key);
  }

 private:
  const json& value_;
  std::string file_, path_;
};

void read_normalizer(const Block& root, WordPieceOptions& options) {
  if (!root.has("normalizer"))
    root.unsupported("has no normalizer; BertNormalizer is what is supported");
  const Block block = root.block("normalizer");
  const std::string type = block.text("type");
  if (type != "BertNormalizer")
    block.unsupported("is of type '{}'; BertNormalizer is what is supported", type);
  block.allow_keys({"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  options.clean_text = block.flag("clean_text", true);
  options.split_chinese = block.flag("handle_chinese_chars", true);
  options.lowercase = block.flag("lowercase", true);
  options.strip_accents.reset();
  if (block.has("strip_accents")) options.strip_accents = block.flag("strip_accents", true);
}

void read_pre_tokenizer(const Block& root) {
  if (!root.has("pre_tokenizer"))
    root.unsupported("has no pre_tokenizer; BertPreTokenizer is what is supported");
  const Block block = root.block("pre_tokenizer");
  const std::string type = block.text("type");
  if (type != "BertPreTokenizer")
    block.unsupported("is of type '{}'; BertPreTokenizer is what is supported", type);
  block.allow_keys({"type"});
}

void read_decoder(const Block& root, const WordPieceOptions& options) {
  if (!root.has("decoder")) return;
  const Block block = root.block("decoder");
  const std::string type = block.text("type");
  if (type != "WordPiece")
    block.unsupported("is of type '{}'; WordPiece is what is supported", type);
  block.allow_keys({"type", "prefix", "cleanup"});
  const std::string prefix = block.text("prefix", "##");
  if (prefix != options.continuation) {
    block.unsupported("has the prefix '{}', the model '{}'", prefix, options.continuation);
  }
  if (!block.flag("cleanup", true))
    block.unsupported("switches 'cleanup' off, which is not supported");
}

void put_token(const Block& block, TokenizerParts& parts, std::string token, uint64_t id) {
  if (token.empty()) block.damaged("gives id {} to an empty token", id);
  if (token.size() > kLongestToken)
    block.damaged("gives id {} to a token of {} bytes, more than {}", id, token.size(),
                  kLongestToken);
  if (parts.tokens.size() <= id) parts.tokens.resize(id + 1);
  if (!parts.tokens[id].empty() && parts.tokens[id] != token) {
    block.damaged("gives id {} to '{}' and to '{}'", id, parts.tokens[id], token);
  }
  parts.tokens[id] = std::move(token);
}

/// The members of model.vocab, kept apart from the other values: a quarter of the memory.
using Vocabulary = std::vector<std::pair<std::string, uint64_t>>;

void read_model(const Block& root, Vocabulary vocabulary, TokenizerParts& parts) {
  const Block block = root.block("model");
  const std::string type = block.text("type");
  if (type != "WordPiece")
    block.unsupported("is of type '{}'; WordPiece is what is supported", type);
  block.allow_keys(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPieceOptions& options = parts.options;
  options.unknown = block.text("unk_token");
  options.continuation = block.text("continuing_subword_prefix", "##");
  if (block.has("max_input_chars_per_word")) {
    const int64_t cap = block.count("max_input_chars_per_word", int64_t{1} << 31);
    if (cap == 0) block.damaged("'max_input_chars_per_word' must be > 0, got 0");
    options.max_word_chars = static_cast<size_t>(cap);
  }
  if (!block.at("vocab").is_object())
    block.damaged("'vocab' must be an object, got {}", block.at("vocab").type_name());
  if (vocabulary.empty()) block.damaged("'vocab' is empty");
  if (vocabulary.size() > kMaxTokens)
    block.damaged("'vocab' has {} tokens, more than the {} allowed", vocabulary.size(), kMaxTokens);
  std::sort(vocabulary.begin(), vocabulary.end());
  const size_t limit = vocabulary.size() + kMaxGaps;
  uint64_t largest = 0;
  for (size_t i = 0; i < vocabulary.size(); ++i) {
    const auto& [token, id] = vocabulary[i];
    if (i > 0 && vocabulary[i - 1].first == token) block.damaged("'vocab' has '{}' twice", token);
    if (id >= limit)
      block.damaged("'vocab' must give '{}' a whole number from 0 to {}", token, limit - 1);
    largest = std::max(largest, id);
  }
  parts.tokens.resize(largest + 1);
  for (auto& [token, id] : vocabulary) put_token(block, parts, std::move(token), id);
}

void read_added(const Block& root, TokenizerParts& parts) {
  if (!root.has("added_tokens")) return;
  const json& list = root.array("added_tokens");
  const auto limit = static_cast<int64_t>(parts.tokens.size() + list.size() + kMaxGaps);
  for (size_t i = 0; i < list.size(); ++i) {
    const Block block = root.item(list[i], i);
    block.allow_keys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    const std::string content = block.text("content");
    for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) {
      if (block.flag(key, false))
        block.unsupported("sets '{}' for the added token '{}'", key, content);
    }
    const int64_t id = block.count("id", limit);
    put_token(block, parts, content, static_cast<uint64_t>(id));
    parts.added.push_back({content, static_cast<int32_t>(id), block.flag("special", false)});
  }
}

// One step of a template, written as in "[CLS]:0" or "$A:0".
std::string step_text(const Block& step) {
  const bool special = step.has("SpecialToken");
  step.allow_keys({"SpecialToken", "Sequence"});
  const Block inner = step.block(special ? "SpecialToken" : "Sequence");
  return fmt::format("{}{}:{}", special ? "" : "$", inner.text("id"), inner.count("type_id", 256));
}

std::vector<std::string> steps(const Block& block, std::string_view key) {
  std::vector<std::string> out;
  const json& list = block.array(key);
  for (size_t i = 0; i < list.size(); ++i) out.push_back(step_text(block.item(list[i], i)));
  return out;
}

void read_template(const Block& block, WordPieceOptions& options) {
  block.allow_keys({"type", "single", "pair", "special_tokens"});
  const std::vector<std::string> single = steps(block, "single");
  const auto name = [](const std::string& step) { return step.substr(0, step.rfind(':')); };
  if (single.size() == 3) {
    options.cls = name(single[0]);
    options.sep = name(single[2]);
  }
  const std::vector<std::string> one{options.cls + ":0", "$A:0", options.sep + ":0"};
  std::vector<std::string> two = one;
  two.insert(two.end(), {"$B:1", options.sep + ":1"});
  if (single != one)
    block.unsupported("'single' must be [CLS] A [SEP], got {}", fmt::join(single, " "));
  const std::vector<std::string> pair = steps(block, "pair");
  if (pair != two)
    block.unsupported("'pair' must be [CLS] A [SEP] B:1 [SEP]:1, got {}", fmt::join(pair, " "));
}

void read_post_processor(const Block& root, WordPieceOptions& options) {
  if (!root.has("post_processor")) return;
  const Block block = root.block("post_processor");
  const std::string type = block.text("type");
  if (type == "TemplateProcessing") return read_template(block, options);
  if (type != "BertProcessing") {
    block.unsupported(
        "is of type '{}'; TemplateProcessing and BertProcessing are what is supported", type);
  }
  block.allow_keys({"type", "sep", "cls"});
  const auto name = [&](std::string_view key) {
    const json& value = block.array(key);
    if (value.size() != 2 || !value[0].is_string())
      block.damaged("'{}' must be [token, id], got {}", key, value.dump());
    return value[0].get<std::string>();
  };
  options.sep = name("sep");
  options.cls = name("cls");
}

}  // namespace

nlohmann::json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path, kMaxJsonBytes, ErrorKind::checkpoint), path.string(),
                    ErrorKind::checkpoint, "json");
}

TokenizerParts read_tokenizer_json(const std::filesystem::path& path,
                                   const WordPieceOptions& names) {
  const std::string file = path.string();
  Vocabulary vocabulary;
  const auto take = [&](std::string& token, const json& id) {
    require(id.is_number_unsigned(), ErrorKind::checkpoint, "tokenizer",
            "{}: tokenizer.model 'vocab' must give '{}' a whole number from 0, got {}", file, token,
            id.is_primitive() ? id.dump() : id.type_name());
    vocabulary.emplace_back(std::move(token), id.get<uint64_t>());
  };
  const json value = parse_json(read_file(path, kMaxJsonBytes, ErrorKind::checkpoint), file,
                                ErrorKind::checkpoint, "json", {}, {{"model", "vocab"}, take});
  const Block root(value, file, "tokenizer");
  root.allow_keys({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  TokenizerParts parts;
  parts.options = names;
  read_model(root, std::move(vocabulary), parts);
  read_normalizer(root, parts.options);
  read_pre_tokenizer(root);
  read_post_processor(root, parts.options);
  read_decoder(root, parts.options);
  read_added(root, parts);
  return parts;
}

}  // namespace tenfold::text

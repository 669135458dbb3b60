// Reading vocab.txt, tokenizer_config.json and special_tokens_map.json, and writing the four files
// of a tokenizer. Not here: reading tokenizer.json (tokenizer_json.cpp).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "support/fail.h"
#include "support/files.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace tenfold::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint64_t kMaxVocabularyBytes = 24ull << 20;

std::vector<std::string> read_vocabulary(const fs::path& path) {
  const std::string text = read_file(path, kMaxVocabularyBytes, ErrorKind::checkpoint);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  require(lines <= kMaxTokens, ErrorKind::checkpoint, "vocabulary",
          "{} has {} lines, more than the {} tokens allowed", path.string(), lines, kMaxTokens);
  std::vector<std::string> tokens;
  tokens.reserve(lines + 1);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    size_t length = end - at;
    if (length > 0 && text[at + length - 1] == '\r') --length;
    require(length <= kLongestToken, ErrorKind::checkpoint, "vocabulary",
            "{}:{}: the line has {} bytes, a token at most {}", path.string(), tokens.size() + 1,
            length, kLongestToken);
    tokens.emplace_back(text, at, length);
    require(length > 0, ErrorKind::checkpoint, "vocabulary",
            "{}:{}: the line is empty, a token is needed", path.string(), tokens.size());
    at = end + 1;
  }
  require(!tokens.empty(), ErrorKind::checkpoint, "vocabulary", "{} holds no tokens",
          path.string());
  return tokens;
}

// A special token is a string, or an object with its "content".
std::string token_name(const json& value, const std::string& file, std::string_view key) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("content") && value["content"].is_string()) {
    return value["content"].get<std::string>();
  }
  fail(ErrorKind::checkpoint, "tokenizer",
       "{}: '{}' must be a string or an object with 'content', got {}", file, key,
       value.type_name());
}

void read_name(const json& object, const std::string& file, std::string_view key,
               std::string& into) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) into = token_name(*found, file, key);
}

void read_names(const json& object, const std::string& file, WordPieceOptions& options) {
  read_name(object, file, "pad_token", options.pad);
  read_name(object, file, "unk_token", options.unknown);
  read_name(object, file, "cls_token", options.cls);
  read_name(object, file, "sep_token", options.sep);
  read_name(object, file, "mask_token", options.mask);
}

std::optional<bool> read_flag(const json& object, const std::string& file, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::nullopt;
  require(found->is_boolean(), ErrorKind::checkpoint, "tokenizer",
          "{}: '{}' must be true, false or null, got {}", file, key, found->type_name());
  return found->get<bool>();
}

void check_class(const json& object, const std::string& file) {
  const auto found = object.find("tokenizer_class");
  if (found == object.end() || found->is_null()) return;
  require(found->is_string(), ErrorKind::checkpoint, "tokenizer",
          "{}: 'tokenizer_class' must be a string, got {}", file, found->type_name());
  const auto name = found->get<std::string>();
  for (const char* known :
       {"BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast",
        "DistilBertTokenizer", "DistilBertTokenizerFast", "PreTrainedTokenizerFast",
        "TokenizersBackend", "MPNetTokenizer", "MPNetTokenizerFast"}) {
    if (name == known) return;
  }
  fail(ErrorKind::unsupported, "tokenizer",
       "{}: tokenizer class '{}' is not one of BERT's WordPiece kind", file, name);
}

// What the side files say: names of special tokens, and the normaliser where there is no
// tokenizer.json.
struct SideFiles {
  WordPieceOptions options;
  std::vector<std::string> additional;
};

SideFiles read_side_files(const fs::path& directory) {
  SideFiles out;
  for (const char* name : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const fs::path path = directory / name;
    if (!fs::exists(path)) continue;
    const std::string file = path.string();
    const json object = read_json(path);
    require(object.is_object(), ErrorKind::checkpoint, "tokenizer",
            "{} must hold an object, got {}", file, object.type_name());
    read_names(object, file, out.options);
    check_class(object, file);
    if (const auto flag = read_flag(object, file, "do_lower_case")) out.options.lowercase = *flag;
    if (const auto flag = read_flag(object, file, "strip_accents"))
      out.options.strip_accents = flag;
    if (const auto flag = read_flag(object, file, "tokenize_chinese_chars"))
      out.options.split_chinese = *flag;
    const auto more = object.find("additional_special_tokens");
    if (more == object.end() || more->is_null()) continue;
    require(more->is_array(), ErrorKind::checkpoint, "tokenizer",
            "{}: 'additional_special_tokens' must be an array, got {}", file, more->type_name());
    for (const json& item : *more)
      out.additional.push_back(token_name(item, file, "additional_special_tokens"));
  }
  return out;
}

json added_token_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", false},
          {"lstrip", false},         {"rstrip", false},          {"normalized", false},
          {"special", token.special}};
}

int32_t id_of(const TokenizerParts& parts, const std::string& name) {
  const auto found = std::find(parts.tokens.rbegin(), parts.tokens.rend(), name);
  return static_cast<int32_t>(parts.tokens.rend() - found) - 1;
}

json post_processor_json(const TokenizerParts& parts) {
  const auto& [cls, sep] = std::pair(parts.options.cls, parts.options.sep);
  const int32_t cls_id = id_of(parts, cls), sep_id = id_of(parts, sep);
  if (cls_id < 0 || sep_id < 0) return nullptr;
  const auto special = [](const std::string& name, int segment) {
    return json{{"SpecialToken", {{"id", name}, {"type_id", segment}}}};
  };
  const auto sequence = [](const char* name, int segment) {
    return json{{"Sequence", {{"id", name}, {"type_id", segment}}}};
  };
  const auto entry = [](const std::string& name, int32_t id) {
    return json{{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  json specials = json::object();
  specials[cls] = entry(cls, cls_id);
  specials[sep] = entry(sep, sep_id);
  return {{"type", "TemplateProcessing"},
          {"single", {special(cls, 0), sequence("A", 0), special(sep, 0)}},
          {"pair",
           {special(cls, 0), sequence("A", 0), special(sep, 0), sequence("B", 1), special(sep, 1)}},
          {"special_tokens", specials}};
}

json optional_json(const std::optional<bool>& flag) { return flag ? json(*flag) : json(nullptr); }

json tokenizer_json(const TokenizerParts& parts) {
  const WordPieceOptions& options = parts.options;
  json vocabulary = json::object(), added = json::array();
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    if (!parts.tokens[i].empty()) vocabulary[parts.tokens[i]] = i;
  }
  std::vector<AddedToken> by_id = parts.added;
  std::sort(by_id.begin(), by_id.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (const AddedToken& token : by_id) added.push_back(added_token_json(token));
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", options.clean_text},
            {"handle_chinese_chars", options.split_chinese},
            {"strip_accents", optional_json(options.strip_accents)},
            {"lowercase", options.lowercase}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor", post_processor_json(parts)},
          {"decoder", {{"type", "WordPiece"}, {"prefix", options.continuation}, {"cleanup", true}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", options.unknown},
            {"continuing_subword_prefix", options.continuation},
            {"max_input_chars_per_word", options.max_word_chars},
            {"vocab", vocabulary}}}};
}

json names_json(const TokenizerParts& parts) {
  json names = json::object();
  const auto add = [&](const char* key, const std::string& name) {
    if (id_of(parts, name) >= 0) names[key] = name;
  };
  add("pad_token", parts.options.pad);
  add("unk_token", parts.options.unknown);
  add("cls_token", parts.options.cls);
  add("sep_token", parts.options.sep);
  add("mask_token", parts.options.mask);
  return names;
}

json config_json(const TokenizerParts& parts) {
  json config = names_json(parts);
  config["tokenizer_class"] = "BertTokenizer";
  config["do_lower_case"] = parts.options.lowercase;
  config["strip_accents"] = optional_json(parts.options.strip_accents);
  config["tokenize_chinese_chars"] = parts.options.split_chinese;
  config["clean_up_tokenization_spaces"] = true;
  json by_id = json::object();
  for (const AddedToken& token : parts.added) {
    json value = added_token_json(token);
    value.erase("id");
    by_id[std::to_string(token.id)] = value;
  }
  config["added_tokens_decoder"] = by_id;
  return config;
}

}  // namespace

TokenizerParts bare_vocabulary(std::vector<std::string> tokens, WordPieceOptions options,
                               Repeats repeats) {
  TokenizerParts parts{std::move(tokens), {}, std::move(options)};
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    const std::string& token = parts.tokens[i];
    require(!token.empty() && is_utf8(token), ErrorKind::checkpoint, "vocabulary",
            "the token of id {} is {}", i, token.empty() ? "empty" : "not UTF-8");
    require(token.find_first_of("\r\n") == std::string::npos, ErrorKind::checkpoint, "vocabulary",
            "the token of id {} holds a line break", i);
    if (repeats == Repeats::last_wins) continue;
    const auto [earlier, is_new] = seen.try_emplace(token, i);
    require(is_new, ErrorKind::checkpoint, "vocabulary",
            "token '{}' stands at id {} and again at id {}", token, earlier->second, i);
  }
  const WordPieceOptions& names = parts.options;
  for (const std::string& name : {names.pad, names.unknown, names.cls, names.sep, names.mask}) {
    const int32_t id = id_of(parts, name);
    if (id >= 0) parts.added.push_back({name, id, true});
  }
  return parts;
}

TokenizerParts read_tokenizer(const fs::path& directory) {
  require(fs::is_directory(directory), ErrorKind::checkpoint, "tokenizer", "no folder {}",
          directory.string());
  SideFiles side = read_side_files(directory);
  if (fs::exists(directory / "tokenizer.json")) {
    return read_tokenizer_json(directory / "tokenizer.json", side.options);
  }
  const fs::path path = directory / "vocab.txt";
  require(fs::exists(path), ErrorKind::checkpoint, "tokenizer",
          "no tokenizer.json and no vocab.txt in {}", directory.string());
  TokenizerParts parts = bare_vocabulary(read_vocabulary(path), side.options, Repeats::last_wins);
  for (const std::string& name : side.additional) {
    const int32_t id = id_of(parts, name);
    require(id >= 0, ErrorKind::checkpoint, "tokenizer",
            "additional special token '{}' is not in {}", name, path.string());
    parts.added.push_back({name, id, true});
  }
  return parts;
}

void write_tokenizer(const TokenizerParts& parts, const fs::path& directory) {
  std::string vocabulary;
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    // An id without a token still needs its line; brackets keep it from ever matching a word.
    vocabulary += parts.tokens[i].empty() ? fmt::format("[no token {}]", i) : parts.tokens[i];
    vocabulary += '\n';
  }
  tenfold::create_directories(directory);
  write_file_atomically(directory / "vocab.txt", vocabulary);
  write_file_atomically(directory / "tokenizer.json", tokenizer_json(parts).dump(2) + "\n");
  write_file_atomically(directory / "tokenizer_config.json", config_json(parts).dump(2) + "\n");
  write_file_atomically(directory / "special_tokens_map.json", names_json(parts).dump(2) + "\n");
}

}  // namespace tenfold::text

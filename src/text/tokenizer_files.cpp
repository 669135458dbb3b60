// Reading a model directory: which file makes the tokenizer, and what the files beside it say.
// Not here: tokenizer.json itself (tokenizer_json.cpp), and writing (tokenizer_save.cpp).
#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
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

// What kinds of files a class of the stock library goes with.
enum class Family { unknown, bert, gpt2, roberta, t5, albert };

Family family_of_class(std::string name) {
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  for (const char* bert : {"BertTokenizer", "ElectraTokenizer", "DistilBertTokenizer",
                           "MPNetTokenizer", "PreTrainedTokenizer", "TokenizersBackend"}) {
    if (name == bert) return Family::bert;
  }
  if (name == "GPT2Tokenizer") return Family::gpt2;
  if (name == "RobertaTokenizer" || name == "BartTokenizer" || name == "LongformerTokenizer")
    return Family::roberta;
  if (name == "T5Tokenizer") return Family::t5;
  if (name == "AlbertTokenizer") return Family::albert;
  return Family::unknown;
}

// What the side files say: names of special tokens, and the normaliser where there is no
// tokenizer.json.
struct SideFiles {
  WordPieceOptions options;
  std::vector<std::string> additional;
  std::string tokenizer_class, file_of_class;
  bool sentencepiece = false;  // a directory that save() wrote from a SentencePiece model

  /// Of the class; error (unsupported) where it is none of those that go with `what`.
  Family family(std::string_view what, std::initializer_list<Family> known) const {
    const Family found = family_of_class(tokenizer_class);
    if (tokenizer_class.empty() || std::find(known.begin(), known.end(), found) != known.end())
      return found;
    fail(ErrorKind::unsupported, "tokenizer",
         "{}: tokenizer class '{}' is not one that is read from {}", file_of_class, tokenizer_class,
         what);
  }
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
    if (object.contains("tokenizer_class") && !object["tokenizer_class"].is_null()) {
      out.tokenizer_class = token_name(object["tokenizer_class"], file, "tokenizer_class");
      out.file_of_class = file;
    }
    const auto own = object.find("tenfold");
    if (own != object.end() && own->is_object())
      out.sentencepiece = own->value("cut_by", json()) == "sentencepiece";
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

// Lines of a file, without their ends.
std::vector<std::string> read_merges_text(const fs::path& path) {
  const std::string text = read_file(path, kMaxVocabularyBytes, ErrorKind::checkpoint);
  std::vector<std::string> merges;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = std::string_view(text).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool heading = at == 0 && line.starts_with("#version");
    require(merges.size() < kMaxTokens, ErrorKind::checkpoint, "vocabulary",
            "{} has more than the {} merges allowed", path.string(), kMaxTokens);
    if (!heading && !line.empty()) merges.emplace_back(line);
    at = end + 1;
  }
  return merges;
}

std::vector<std::string> read_vocabulary_json(const fs::path& path) {
  const json object = read_json(path);
  const std::string file = path.string();
  require(object.is_object() && !object.empty(), ErrorKind::checkpoint, "vocabulary",
          "{} must hold an object of tokens", file);
  require(object.size() <= kMaxTokens, ErrorKind::checkpoint, "vocabulary",
          "{} has {} tokens, more than the {} allowed", file, object.size(), kMaxTokens);
  std::vector<std::string> tokens(object.size());
  for (const auto& [token, id] : object.items()) {
    require(id.is_number_unsigned() && id.get<uint64_t>() < tokens.size(), ErrorKind::checkpoint,
            "vocabulary", "{}: '{}' must have an id from 0 to {}, got {}", file, token,
            tokens.size() - 1, id.dump());
    std::string& place = tokens[id.get<size_t>()];
    require(place.empty() && token.size() <= kLongestToken, ErrorKind::checkpoint, "vocabulary",
            "{}: '{}' has the id of another token, or more than {} bytes", file, token,
            kLongestToken);
    place = token;
  }
  return tokens;
}

TokenizerParts read_byte_bpe(const fs::path& directory, const SideFiles& side) {
  std::vector<std::string> tokens = read_vocabulary_json(directory / "vocab.json");
  const Family named =
      side.family("vocab.json and merges.txt", {Family::gpt2, Family::roberta, Family::bert});
  std::optional<BpeFamily> family;
  if (named == Family::gpt2) family = BpeFamily::gpt2;
  if (named == Family::roberta) family = BpeFamily::roberta;
  return byte_bpe_parts(std::move(tokens), read_merges_text(directory / "merges.txt"), family,
                        (directory / "merges.txt").string());
}

// The first SentencePiece model under one of its usual names; empty: none.
fs::path sentencepiece_path(const fs::path& directory) {
  for (const char* name : {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model",
                           "sentencepiece.model", "spm.model"}) {
    if (fs::exists(directory / name)) return directory / name;
  }
  return {};
}

TokenizerParts read_sentencepiece(const fs::path& path, const SideFiles& side) {
  const Family named = side.sentencepiece ? Family::unknown
                                          : side.family("a SentencePiece model",
                                                        {Family::t5, Family::albert, Family::bert});
  std::optional<SentencePieceFamily> family;
  if (named == Family::t5) family = SentencePieceFamily::t5;
  if (named == Family::albert) family = SentencePieceFamily::albert;
  TokenizerParts parts = sentencepiece_parts(
      read_file(path, kMaxVocabularyBytes, ErrorKind::checkpoint), family, path.string());
  if (named == Family::albert) rewrite_as_albert(parts, side.options.lowercase);
  return parts;
}

TokenizerParts read_wordpiece(const fs::path& path, const SideFiles& side) {
  side.family("vocab.txt", {Family::bert});
  TokenizerParts parts = bare_vocabulary(read_vocabulary(path), side.options, Repeats::last_wins);
  for (const std::string& name : side.additional) {
    const int32_t id = id_of(parts, name);
    require(id >= 0, ErrorKind::checkpoint, "tokenizer",
            "additional special token '{}' is not in {}", name, path.string());
    parts.added.push_back({name, id, true});
  }
  return parts;
}

}  // namespace

TokenizerParts read_tokenizer(const fs::path& directory) {
  require(fs::is_directory(directory), ErrorKind::checkpoint, "tokenizer", "no folder {}",
          directory.string());
  const SideFiles side = read_side_files(directory);
  const fs::path sentencepiece = sentencepiece_path(directory);
  if (side.sentencepiece && !sentencepiece.empty()) return read_sentencepiece(sentencepiece, side);
  if (fs::exists(directory / "tokenizer.json"))
    return read_tokenizer_json(directory / "tokenizer.json", side.options);
  if (fs::exists(directory / "vocab.txt")) return read_wordpiece(directory / "vocab.txt", side);
  if (fs::exists(directory / "vocab.json") && fs::exists(directory / "merges.txt"))
    return read_byte_bpe(directory, side);
  require(!sentencepiece.empty(), ErrorKind::checkpoint, "tokenizer",
          "no tokenizer.json and no vocab.txt in {} (nor vocab.json with merges.txt, nor a "
          "SentencePiece model)",
          directory.string());
  return read_sentencepiece(sentencepiece, side);
}

}  // namespace tenfold::text

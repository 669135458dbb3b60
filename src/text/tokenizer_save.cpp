// Writing the files of a tokenizer directory, in the stock library's formats.
// Not here: reading them back (tokenizer_files.cpp, tokenizer_json.cpp).
#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/fail.h"
#include "support/files.h"
#include "text/sentencepiece_model.h"
#include "text/vocabulary.h"

namespace tenfold::text {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json added_token_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
          {"special", token.special}};
}

// With a SentencePiece model's user-defined pieces, which the stock pipeline needs as added tokens.
std::vector<AddedToken> added_by_id(const TokenizerParts& parts) {
  std::vector<AddedToken> out = parts.added;
  if (!parts.sentencepiece.empty())
    add_user_defined(parse_sentencepiece(parts.sentencepiece, parts.file), out);
  std::stable_sort(out.begin(), out.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  return out;
}

// Ids that are added tokens alone have no place in the vocabulary object.
json vocabulary_json(const TokenizerParts& parts) {
  json out = json::object();
  for (size_t i = 0; i < parts.tokens.size(); ++i) {
    if (!parts.tokens[i].empty()) out[parts.tokens[i]] = i;
  }
  return out;
}

json model_json(const TokenizerParts& parts) {
  const WordPieceOptions& options = parts.options;
  if (parts.kind == TokenizerKind::wordpiece) {
    return {{"type", "WordPiece"},
            {"unk_token", options.unknown},
            {"continuing_subword_prefix", options.continuation},
            {"max_input_chars_per_word", options.max_word_chars},
            {"vocab", vocabulary_json(parts)}};
  }
  if (parts.kind == TokenizerKind::bpe) {
    json merges = json::array();
    for (const BpeMerge& merge : parts.merges) {
      merges.push_back({parts.tokens[static_cast<size_t>(merge.left)],
                        parts.tokens[static_cast<size_t>(merge.right)]});
    }
    return {
        {"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", parts.unknown >= 0 ? json(parts.tokens[static_cast<size_t>(parts.unknown)])
                                         : json(nullptr)},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", parts.bpe.fuse_unknown},
        {"byte_fallback", parts.bpe.byte_fallback},
        {"ignore_merges", parts.bpe.ignore_merges},
        {"vocab", vocabulary_json(parts)},
        {"merges", merges}};
  }
  json vocabulary = json::array();
  for (size_t i = 0; i < parts.scores.size(); ++i)
    vocabulary.push_back({parts.tokens[i], parts.scores[i]});
  return {{"type", "Unigram"},
          {"unk_id", parts.unknown},
          {"byte_fallback", parts.byte_fallback},
          {"vocab", vocabulary}};
}

json tokenizer_json(const TokenizerParts& parts, const std::vector<AddedToken>& added) {
  json added_tokens = json::array();
  for (const AddedToken& token : added) added_tokens.push_back(added_token_json(token));
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added_tokens},
          {"normalizer", parts.normalizer},
          {"pre_tokenizer", parts.pre_tokenizer},
          {"post_processor", parts.post_processor},
          {"decoder", parts.decoder},
          {"model", model_json(parts)}};
}

json names_json(const TokenizerParts& parts) {
  json names = json::object();
  const auto add = [&](const char* key, const std::string& name) {
    if (!name.empty() && id_of(parts, name) >= 0) names[key] = name;
  };
  add("pad_token", parts.options.pad);
  add("unk_token", parts.options.unknown);
  add("cls_token", parts.options.cls);
  add("sep_token", parts.options.sep);
  add("mask_token", parts.options.mask);
  if (parts.kind != TokenizerKind::wordpiece) {
    add("bos_token", id_of(parts, "<s>") >= 0 ? "<s>" : "<|endoftext|>");
    add("eos_token", id_of(parts, "</s>") >= 0 ? "</s>" : "<|endoftext|>");
  }
  return names;
}

const char* class_of(const TokenizerParts& parts) {
  if (is_bert(parts)) return "BertTokenizer";
  return "PreTrainedTokenizerFast";
}

json config_json(const TokenizerParts& parts, const std::vector<AddedToken>& added) {
  json config = names_json(parts);
  config["tokenizer_class"] = class_of(parts);
  if (parts.kind == TokenizerKind::wordpiece) {
    config["do_lower_case"] = parts.options.lowercase;
    config["strip_accents"] =
        parts.options.strip_accents ? json(*parts.options.strip_accents) : json(nullptr);
    config["tokenize_chinese_chars"] = parts.options.split_chinese;
    config["clean_up_tokenization_spaces"] = true;
  } else {
    config["clean_up_tokenization_spaces"] = false;
  }
  if (!parts.sentencepiece.empty()) config["tenfold"] = {{"cut_by", "sentencepiece"}};
  json by_id = json::object();
  for (const AddedToken& token : added) {
    json value = added_token_json(token);
    value.erase("id");
    by_id[std::to_string(token.id)] = value;
  }
  config["added_tokens_decoder"] = by_id;
  return config;
}

// The older files of the kind.
void write_older(const TokenizerParts& parts, const fs::path& directory) {
  if (!parts.sentencepiece.empty())
    return write_file_atomically(directory / "spiece.model", parts.sentencepiece);
  std::string text;
  if (parts.kind == TokenizerKind::wordpiece) {
    for (size_t i = 0; i < parts.tokens.size(); ++i) {
      // An id without a token still needs its line; brackets keep it from ever matching a word.
      text += parts.tokens[i].empty() ? fmt::format("[no token {}]", i) : parts.tokens[i];
      text += '\n';
    }
    return write_file_atomically(directory / "vocab.txt", text);
  }
  if (parts.kind != TokenizerKind::bpe) return;
  write_file_atomically(directory / "vocab.json", vocabulary_json(parts).dump() + "\n");
  text = "#version: 0.2\n";
  for (const BpeMerge& merge : parts.merges) {
    text += fmt::format("{} {}\n", parts.tokens[static_cast<size_t>(merge.left)],
                        parts.tokens[static_cast<size_t>(merge.right)]);
  }
  write_file_atomically(directory / "merges.txt", text);
}

}  // namespace

void write_tokenizer(const TokenizerParts& parts, const fs::path& directory) {
  tenfold::create_directories(directory);
  write_older(parts, directory);
  const std::vector<AddedToken> added = added_by_id(parts);
  const bool writable = parts.sentencepiece.empty() || !parts.pre_tokenizer.is_null();
  if (writable)
    write_file_atomically(directory / "tokenizer.json",
                          tokenizer_json(parts, added).dump(2) + "\n");
  write_file_atomically(directory / "tokenizer_config.json",
                        config_json(parts, added).dump(2) + "\n");
  write_file_atomically(directory / "special_tokens_map.json", names_json(parts).dump(2) + "\n");
}

}  // namespace tenfold::text

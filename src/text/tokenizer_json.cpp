// The reader behind tokenizer_json.h: vocabulary, merges, added tokens and the blocks around them.
// Not here: what the blocks mean (normalizers.h and others), and writing (tokenizer_save.cpp).
#include "text/tokenizer_json.h"

#include <algorithm>
#include <cmath>

#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "text/json_block.h"
#include "text/post_processor.h"
#include "text/utf8.h"

namespace tenfold::text {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxJsonBytes = 100ull << 20;
constexpr size_t kMaxGaps = 1 << 16;  // ids that no token has, which cost memory all the same

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

void number_tokens(const Block& block, Vocabulary vocabulary, TokenizerParts& parts) {
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

void need_vocabulary_object(const Block& block) {
  if (!block.at("vocab").is_object())
    block.damaged("'vocab' must be an object, got {}", block.at("vocab").type_name());
}

void read_wordpiece(const Block& block, Vocabulary vocabulary, TokenizerParts& parts) {
  block.allow_keys(
      {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  need_vocabulary_object(block);
  WordPieceOptions& options = parts.options;
  options.unknown = block.text("unk_token");
  options.continuation = block.text("continuing_subword_prefix", "##");
  if (block.has("max_input_chars_per_word")) {
    const int64_t cap = block.count("max_input_chars_per_word", int64_t{1} << 31);
    if (cap == 0) block.damaged("'max_input_chars_per_word' must be > 0, got 0");
    options.max_word_chars = static_cast<size_t>(cap);
  }
  number_tokens(block, std::move(vocabulary), parts);
}

// A merge is "left right", or [left, right] in newer files.
void read_merges(const Block& block, const std::string& file, TokenizerParts& parts) {
  const json& list = block.array("merges");
  if (list.size() > kMaxTokens)
    block.damaged("'merges' has {} rules, more than the {} allowed", list.size(), kMaxTokens);
  const Trie tokens = trie_of(parts.tokens);
  for (const json& rule : list) {
    std::string left, right;
    if (rule.is_string()) {
      left = rule.get<std::string>();
      const size_t blank = left.find(' ');
      if (blank == std::string::npos || left.find(' ', blank + 1) != std::string::npos)
        block.damaged("'merges' must hold two tokens with a blank between, got '{}'", left);
      right = left.substr(blank + 1);
      left.resize(blank);
    } else {
      if (!rule.is_array() || rule.size() != 2 || !rule[0].is_string() || !rule[1].is_string())
        block.damaged("'merges' must hold pairs of tokens, got {}", rule.dump());
      left = rule[0].get<std::string>();
      right = rule[1].get<std::string>();
    }
    parts.merges.push_back(merge_of(left, right, tokens, parts.merges.size(), file));
  }
}

void read_bpe(const Block& block, const std::string& file, Vocabulary vocabulary,
              TokenizerParts& parts) {
  block.allow_keys({"type", "dropout", "unk_token", "continuing_subword_prefix",
                    "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges", "vocab",
                    "merges"});
  need_vocabulary_object(block);
  if (block.has("dropout") && block.at("dropout") != 0.0)
    block.unsupported("sets 'dropout', which makes ids random");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!block.text(key, "").empty()) block.unsupported("sets '{}'", key);
  }
  parts.kind = TokenizerKind::bpe;
  parts.bpe.fuse_unknown = block.flag("fuse_unk", false);
  parts.bpe.byte_fallback = block.flag("byte_fallback", false);
  parts.bpe.ignore_merges = block.flag("ignore_merges", false);
  number_tokens(block, std::move(vocabulary), parts);
  read_merges(block, file, parts);
  if (block.has("unk_token")) {
    parts.options.unknown = block.text("unk_token");
    parts.unknown = id_of(parts, parts.options.unknown);
    if (parts.unknown < 0)
      block.damaged("'unk_token' is '{}', which 'vocab' lacks", parts.options.unknown);
  }
}

void read_unigram(const Block& block, TokenizerParts& parts) {
  block.allow_keys({"type", "unk_id", "byte_fallback", "vocab"});
  const json& list = block.array("vocab");
  if (list.empty()) block.damaged("'vocab' is empty");
  if (list.size() > kMaxTokens)
    block.damaged("'vocab' has {} tokens, more than the {} allowed", list.size(), kMaxTokens);
  parts.kind = TokenizerKind::unigram;
  parts.byte_fallback = block.flag("byte_fallback", false);
  for (size_t i = 0; i < list.size(); ++i) {
    const json& entry = list[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
      block.damaged("'vocab' must hold pairs of token and score, not at place {}", i);
    put_token(block, parts, entry[0].get<std::string>(), i);
    parts.scores.push_back(entry[1].get<double>());
    if (!std::isfinite(parts.scores.back()) || std::abs(parts.scores.back()) > 1e30)
      block.damaged("'vocab' has no usable score for '{}'", parts.tokens[i]);
  }
  if (!block.has("unk_id")) block.unsupported("has no 'unk_id'");
  parts.unknown = static_cast<int32_t>(block.count("unk_id", static_cast<int64_t>(list.size())));
  parts.options.unknown = parts.tokens[static_cast<size_t>(parts.unknown)];
}

void read_model(const Block& root, const std::string& file, Vocabulary vocabulary,
                TokenizerParts& parts) {
  const Block block = root.block("model");
  // Older files leave the type out where the other keys tell.
  const std::string type = block.text("type", block.has("merges")   ? "BPE"
                                              : block.has("unk_id") ? "Unigram"
                                                                    : "WordPiece");
  if (type == "WordPiece") return read_wordpiece(block, std::move(vocabulary), parts);
  if (type == "BPE") return read_bpe(block, file, std::move(vocabulary), parts);
  if (type == "Unigram") return read_unigram(block, parts);
  block.unsupported("is of the unknown type '{}'", type);
}

void read_added(const Block& root, TokenizerParts& parts) {
  if (!root.has("added_tokens")) return;
  const json& list = root.array("added_tokens");
  const auto limit = static_cast<int64_t>(parts.tokens.size() + list.size() + kMaxGaps);
  for (size_t i = 0; i < list.size(); ++i) {
    const Block block = root.item(list[i], i);
    block.allow_keys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    const std::string content = block.text("content");
    const int64_t id = block.count("id", limit);
    put_token(block, parts, content, static_cast<uint64_t>(id));
    AddedToken token{content, static_cast<int32_t>(id), block.flag("special", false)};
    token.single_word = block.flag("single_word", false);
    token.lstrip = block.flag("lstrip", false);
    token.rstrip = block.flag("rstrip", false);
    token.normalized = block.flag("normalized", !token.special);
    parts.added.push_back(std::move(token));
  }
}

// BERT's normaliser as options, for the fast path.
void read_bert_normalizer(const Block& root, WordPieceOptions& options) {
  if (!root.has("normalizer")) return;
  const Block block = root.block("normalizer");
  if (block.type() != "BertNormalizer") return;
  options.clean_text = block.flag("clean_text", true);
  options.split_chinese = block.flag("handle_chinese_chars", true);
  options.lowercase = block.flag("lowercase", true);
  options.strip_accents.reset();
  if (block.has("strip_accents")) options.strip_accents = block.flag("strip_accents", true);
}

void take_block(const Block& root, const char* key, json& into) {
  if (root.has(key)) into = root.block(key).value();
}

// The names of what opens and closes a text are those of the template.
void name_boundaries(TokenizerParts& parts) {
  if (parts.post_processor.is_null()) {
    // Files of BERT's kind without a post-processor leave it to the names.
    const int32_t cls = id_of(parts, parts.options.cls), sep = id_of(parts, parts.options.sep);
    if (parts.kind != TokenizerKind::wordpiece) {
      parts.post_processor = ending_template("", -1, 1);
    } else if (cls >= 0 && sep >= 0) {
      parts.post_processor = bert_template(parts.options.cls, cls, parts.options.sep, sep);
    }
    return;
  }
  const PostProcessor around = compile_post_processor(
      Block(parts.post_processor, parts.file, "tokenizer.post_processor"), parts.tokens.size());
  const auto name = [&](int32_t id, std::string& into) {
    if (id >= 0) into = parts.tokens[static_cast<size_t>(id)];
  };
  name(around.cls(), parts.options.cls);
  name(around.sep(), parts.options.sep);
}

// <pad> and <mask> where the file's kin did not say otherwise.
void name_others(TokenizerParts& parts) {
  const auto fall_back = [&](std::string& name, const char* other) {
    if (id_of(parts, name) < 0 && id_of(parts, other) >= 0) name = other;
  };
  fall_back(parts.options.pad, "<pad>");
  fall_back(parts.options.mask, "<mask>");
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
  parts.file = file;
  parts.options = names;
  read_model(root, file, std::move(vocabulary), parts);
  take_block(root, "normalizer", parts.normalizer);
  take_block(root, "pre_tokenizer", parts.pre_tokenizer);
  take_block(root, "post_processor", parts.post_processor);
  take_block(root, "decoder", parts.decoder);
  read_bert_normalizer(root, parts.options);
  read_added(root, parts);
  name_boundaries(parts);
  name_others(parts);
  return parts;
}

}  // namespace tenfold::text

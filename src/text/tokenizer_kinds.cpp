// What each family of tokenizers adds to its bare vocabulary: special tokens, the blocks that
// tokenizer.json would hold, what goes around a text. Not here: files (tokenizer_files.cpp).
#include <algorithm>
#include <unordered_map>

#include "support/fail.h"
#include "text/byte_level.h"
#include "text/piece.h"
#include "text/post_processor.h"
#include "text/sentencepiece_model.h"
#include "text/utf8.h"
#include "text/vocabulary.h"

namespace tenfold::text {
namespace {

using nlohmann::json;

json metaspace_json(bool prefix) {
  return {{"type", "Metaspace"},
          {"replacement", kWordMark},
          {"prepend_scheme", prefix ? "always" : "never"},
          {"split", true}};
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0u);
    const size_t digits = std::min<size_t>(bytes.size() - at, 3) + 1;
    for (size_t i = 0; i < 4; ++i) out += i < digits ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

void check_tokens(const std::vector<std::string>& tokens, Repeats repeats) {
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string& token = tokens[i];
    require(!token.empty() && is_utf8(token), ErrorKind::checkpoint, "vocabulary",
            "the token of id {} is {}", i, token.empty() ? "empty" : "not UTF-8");
    require(token.find_first_of("\r\n") == std::string::npos, ErrorKind::checkpoint, "vocabulary",
            "the token of id {} holds a line break", i);
    if (repeats == Repeats::last_wins) continue;
    const auto [earlier, is_new] = seen.try_emplace(token, i);
    require(is_new, ErrorKind::checkpoint, "vocabulary",
            "token '{}' stands at id {} and again at id {}", token, earlier->second, i);
  }
}

void add_special_token(TokenizerParts& parts, const std::string& name) {
  const int32_t id = id_of(parts, name);
  const bool known = std::any_of(parts.added.begin(), parts.added.end(),
                                 [&](const AddedToken& token) { return token.id == id; });
  if (id >= 0 && !known) parts.added.push_back({name, id, true});
}

bool is_type(const json& block, const char* type) {
  return block.is_object() && block.value("type", json()) == type;
}

}  // namespace

int32_t id_of(const TokenizerParts& parts, const std::string& name) {
  const auto found = std::find(parts.tokens.rbegin(), parts.tokens.rend(), name);
  return static_cast<int32_t>(parts.tokens.rend() - found) - 1;
}

bool is_bert(const TokenizerParts& parts) {
  return parts.kind == TokenizerKind::wordpiece && is_type(parts.normalizer, "BertNormalizer") &&
         is_type(parts.pre_tokenizer, "BertPreTokenizer");
}

TokenizerParts bare_vocabulary(std::vector<std::string> tokens, WordPieceOptions options,
                               Repeats repeats) {
  check_tokens(tokens, repeats);
  TokenizerParts parts;
  parts.tokens = std::move(tokens);
  parts.options = std::move(options);
  const WordPieceOptions& names = parts.options;
  for (const std::string& name : {names.pad, names.unknown, names.cls, names.sep, names.mask})
    add_special_token(parts, name);
  parts.normalizer = {
      {"type", "BertNormalizer"},
      {"clean_text", names.clean_text},
      {"handle_chinese_chars", names.split_chinese},
      {"strip_accents", names.strip_accents ? json(*names.strip_accents) : json(nullptr)},
      {"lowercase", names.lowercase}};
  parts.pre_tokenizer = {{"type", "BertPreTokenizer"}};
  parts.decoder = {{"type", "WordPiece"}, {"prefix", names.continuation}, {"cleanup", true}};
  const int32_t cls = id_of(parts, names.cls), sep = id_of(parts, names.sep);
  if (cls >= 0 && sep >= 0) parts.post_processor = bert_template(names.cls, cls, names.sep, sep);
  return parts;
}

BpeMerge merge_of(std::string_view left, std::string_view right, const Trie& tokens, size_t rank,
                  const std::string& file) {
  const std::string both = std::string(left) + std::string(right);
  const BpeMerge merge{tokens.find(left), tokens.find(right), tokens.find(both)};
  require(
      !left.empty() && !right.empty() && merge.left >= 0 && merge.right >= 0 && merge.joined >= 0,
      ErrorKind::checkpoint, "tokenizer",
      "{}: merge {} joins '{}' and '{}', but the vocabulary lacks one of them or '{}'", file,
      rank + 1, left, right, both);
  return merge;
}

TokenizerParts byte_bpe_parts(std::vector<std::string> tokens,
                              const std::vector<std::string>& merges,
                              std::optional<BpeFamily> family, const std::string& file) {
  check_tokens(tokens, Repeats::refuse);
  TokenizerParts parts;
  parts.kind = TokenizerKind::bpe;
  parts.file = file;
  parts.tokens = std::move(tokens);
  const Trie names = trie_of(parts.tokens);
  for (const std::string& rule : merges) {
    const size_t blank = rule.find(' ');
    require(blank != std::string::npos && rule.find(' ', blank + 1) == std::string::npos,
            ErrorKind::checkpoint, "tokenizer",
            "{}: merge {} must be two tokens with a blank between, got '{}'", file,
            parts.merges.size() + 1, rule);
    parts.merges.push_back(merge_of(std::string_view(rule).substr(0, blank),
                                    std::string_view(rule).substr(blank + 1), names,
                                    parts.merges.size(), file));
  }
  const bool framed = id_of(parts, "<s>") >= 0 && id_of(parts, "</s>") >= 0;
  const bool roberta =
      family.value_or(framed ? BpeFamily::roberta : BpeFamily::gpt2) == BpeFamily::roberta;
  WordPieceOptions& o = parts.options;
  o.pad = "<pad>";
  o.mask = "<mask>";
  o.unknown = roberta ? "<unk>" : "<|endoftext|>";
  o.cls = roberta ? "<s>" : "";
  o.sep = roberta ? "</s>" : "";
  for (const char* name : {"<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"})
    add_special_token(parts, name);
  for (AddedToken& token : parts.added) token.lstrip = roberta && token.content == "<mask>";
  parts.unknown = roberta ? id_of(parts, "<unk>") : -1;
  parts.pre_tokenizer = {{"type", "ByteLevel"},
                         {"add_prefix_space", false},
                         {"trim_offsets", true},
                         {"use_regex", true}};
  parts.decoder = parts.pre_tokenizer;
  if (roberta) {
    const int32_t cls = id_of(parts, o.cls), sep = id_of(parts, o.sep);
    require(cls >= 0 && sep >= 0, ErrorKind::checkpoint, "tokenizer",
            "{}: RoBERTa's vocabulary needs <s> and </s>", file);
    parts.post_processor = roberta_processing(o.cls, cls, o.sep, sep);
  } else {
    parts.post_processor = ending_template("", -1, 1);
  }
  return parts;
}

namespace {

SentencePieceFamily family_of(const SentencePieceModel& model) {
  const auto has = [&](const char* piece) {
    return std::find(model.pieces.begin(), model.pieces.end(), piece) != model.pieces.end();
  };
  if (has("[CLS]") && has("[SEP]")) return SentencePieceFamily::albert;
  const bool t5 = model.bos < 0 && model.pad == 0 && model.eos == 1 && model.unknown == 2;
  return t5 ? SentencePieceFamily::t5 : SentencePieceFamily::plain;
}

// The model's own rules as the stock library rewrites them, for tokenizer.json; null where they
// cannot be written so.
void write_rules(const SentencePieceModel& model, TokenizerParts& parts) {
  json steps = json::array();
  if (!model.charsmap_bytes.empty()) {
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", base64(model.charsmap_bytes)}});
  }
  const json metaspace = metaspace_json(model.add_dummy_prefix);
  const bool words = model.remove_extra_whitespaces && model.add_dummy_prefix;
  if (model.remove_extra_whitespaces && !words) {
    steps.push_back({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}});
    steps.push_back({{"type", "Replace"}, {"pattern", {{"Regex", " {2,}"}}}, {"content", " "}});
  }
  if (!steps.empty()) parts.normalizer = {{"type", "Sequence"}, {"normalizers", steps}};
  if (model.whitespace_as_suffix) return;
  parts.pre_tokenizer = metaspace;
  if (words) {
    parts.pre_tokenizer = {{"type", "Sequence"},
                           {"pretokenizers", {{{"type", "WhitespaceSplit"}}, metaspace}}};
  }
  parts.decoder = metaspace;
  if (model.byte_fallback) {
    parts.decoder = {
        {"type", "Sequence"},
        {"decoders",
         {{{"type", "Replace"}, {"pattern", {{"String", kWordMark}}}, {"content", " "}},
          {{"type", "ByteFallback"}},
          {{"type", "Fuse"}},
          {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  }
}

// Two pieces whose join is a piece, in the order of the joins' scores.
void write_merges(const SentencePieceModel& model, TokenizerParts& parts) {
  const Trie names = trie_of(model.pieces);
  std::vector<int32_t> order;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    if (model.kinds[i] == PieceKind::normal) order.push_back(static_cast<int32_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return model.scores[static_cast<size_t>(a)] > model.scores[static_cast<size_t>(b)];
  });
  for (const int32_t joined : order) {
    const std::string_view piece = model.pieces[static_cast<size_t>(joined)];
    const size_t start = parts.merges.size();
    for (size_t at = 1; at < piece.size(); ++at) {
      const int32_t left = names.find(piece.substr(0, at)), right = names.find(piece.substr(at));
      if (left >= 0 && right >= 0) parts.merges.push_back({left, right, joined});
    }
    std::sort(parts.merges.begin() + static_cast<std::ptrdiff_t>(start), parts.merges.end(),
              [](const BpeMerge& a, const BpeMerge& b) {
                return std::pair(a.left, a.right) < std::pair(b.left, b.right);
              });
  }
}

void frame_sentencepiece(const SentencePieceModel& model, SentencePieceFamily family,
                         TokenizerParts& parts) {
  const auto name = [&](int32_t id) {
    return id >= 0 ? model.pieces[static_cast<size_t>(id)] : std::string();
  };
  WordPieceOptions& o = parts.options;
  o.unknown = name(model.unknown);
  o.pad = name(model.pad);
  if (o.pad.empty()) o.pad = "<pad>";
  o.mask = id_of(parts, "[MASK]") >= 0 ? "[MASK]" : "<mask>";
  o.cls = name(model.bos);
  o.sep = name(model.eos);
  if (family == SentencePieceFamily::albert) {
    o.cls = "[CLS]";
    o.sep = "[SEP]";
    const int32_t cls = id_of(parts, o.cls), sep = id_of(parts, o.sep);
    require(cls >= 0 && sep >= 0, ErrorKind::checkpoint, "sentencepiece",
            "{}: ALBERT's model needs the pieces [CLS] and [SEP]", parts.file);
    parts.post_processor = bert_template(o.cls, cls, o.sep, sep);
  } else if (model.bos >= 0 && model.eos >= 0) {
    parts.post_processor = roberta_processing(o.cls, model.bos, o.sep, model.eos);
    parts.post_processor["trim_offsets"] = false;
  } else {
    parts.post_processor =
        ending_template(o.sep, model.eos, family == SentencePieceFamily::t5 ? 0 : 1);
  }
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    const bool special =
        model.kinds[i] == PieceKind::control || model.kinds[i] == PieceKind::unknown;
    if (special || model.pieces[i] == o.mask || model.pieces[i] == o.pad)
      parts.added.push_back({model.pieces[i], static_cast<int32_t>(i), true});
  }
}

}  // namespace

TokenizerParts sentencepiece_parts(std::string bytes, std::optional<SentencePieceFamily> family,
                                   const std::string& file) {
  const SentencePieceModel model = parse_sentencepiece(bytes, file);
  TokenizerParts parts;
  parts.file = file;
  parts.kind = model.is_bpe ? TokenizerKind::bpe : TokenizerKind::unigram;
  parts.tokens = model.pieces;
  parts.scores.assign(model.scores.begin(), model.scores.end());
  parts.unknown = model.unknown;
  parts.byte_fallback = model.byte_fallback;
  parts.bpe.byte_level = false;
  parts.bpe.fuse_unknown = true;
  parts.bpe.byte_fallback = model.byte_fallback;
  const SentencePieceFamily kind = family.value_or(family_of(model));
  frame_sentencepiece(model, kind, parts);
  if (kind == SentencePieceFamily::t5 && id_of(parts, "<extra_id_0>") < 0) {
    for (int i = kNumSentinels; i-- > 0;) {
      const auto id = static_cast<int32_t>(parts.tokens.size());
      parts.tokens.push_back(fmt::format("<extra_id_{}>", i));
      parts.added.push_back({parts.tokens.back(), id, true});
      parts.scores.push_back(0);
    }
  }
  write_rules(model, parts);
  if (model.is_bpe) write_merges(model, parts);
  parts.sentencepiece = std::move(bytes);
  return parts;
}

void add_user_defined(const SentencePieceModel& model, std::vector<AddedToken>& added) {
  for (size_t i = 0; i < model.kinds.size(); ++i) {
    if (model.kinds[i] != PieceKind::user_defined) continue;
    const auto id = static_cast<int32_t>(i);
    const bool known = std::any_of(added.begin(), added.end(),
                                   [&](const AddedToken& token) { return token.id == id; });
    if (!known) added.push_back({model.pieces[i], id, false});
  }
}

void rewrite_as_albert(TokenizerParts& parts, bool lowercase) {
  json steps = {{{"type", "Replace"}, {"pattern", {{"String", "``"}}}, {"content", "\""}},
                {{"type", "Replace"}, {"pattern", {{"String", "''"}}}, {"content", "\""}},
                {{"type", "NFKD"}},
                {{"type", "StripAccents"}}};
  if (lowercase) steps.push_back({{"type", "Lowercase"}});
  if (!parts.normalizer.is_null()) {
    for (const json& step : parts.normalizer["normalizers"]) steps.push_back(step);
  }
  parts.normalizer = {{"type", "Sequence"}, {"normalizers", steps}};
  add_user_defined(parse_sentencepiece(parts.sentencepiece, parts.file), parts.added);
  parts.sentencepiece.clear();
}

}  // namespace tenfold::text

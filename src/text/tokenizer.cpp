// tenfold::Tokenizer on one text: construction, encoding, decoding, names and ids.
// Not here: pairs and windows (tokenizer_pairs.cpp), many texts (tokenizer_batch.cpp), files
// (tokenizer_files.cpp).
#include "tenfold/tokenizer.h"

#include <utility>

#include "support/checksum.h"
#include "support/fail.h"
#include "text/byte_level.h"
#include "text/piece.h"
#include "text/tokenizer_core.h"

namespace tenfold {

namespace text {

namespace {

NormalizerOptions normalizer_of(const WordPieceOptions& options) {
  return {.clean_text = options.clean_text,
          .split_chinese = options.split_chinese,
          .strip_accents = options.strip_accents.value_or(options.lowercase),
          .lowercase = options.lowercase};
}

// Whether ByteLevel puts a blank before a text, where it alone stands before BPE: the fast path.
std::optional<bool> gpt2_prefix_space(const TokenizerParts& parts) {
  if (parts.kind != TokenizerKind::bpe || !parts.normalizer.is_null()) return std::nullopt;
  if (parts.pre_tokenizer.is_null()) return std::nullopt;
  const Block block(parts.pre_tokenizer, parts.file, "tokenizer.pre_tokenizer");
  if (block.type() != "ByteLevel") return std::nullopt;
  bool byte_level = false;
  compile_splitter(block, byte_level);  // for its complaints alone
  if (!block.flag("use_regex", true)) return std::nullopt;
  return block.flag("add_prefix_space", true);
}

BpeOptions byte_options(const TokenizerParts& parts) {
  BpeOptions out = parts.bpe;
  out.byte_level = true;
  out.unknown = parts.unknown;
  return out;
}

std::vector<AddedToken> raw_literals(std::vector<AddedToken> added, bool with_normalized) {
  std::erase_if(added,
                [&](const AddedToken& token) { return token.normalized && !with_normalized; });
  return added;
}

}  // namespace

BertEngine::BertEngine(const TokenizerParts& parts)
    : chars(normalizer_of(parts.options)),
      model(parts.tokens, parts.options.continuation, parts.options.unknown) {
  bool byte_level = false;  // compiled for their complaints alone
  compile_normalizer(Block(parts.normalizer, parts.file, "tokenizer.normalizer"));
  compile_splitter(Block(parts.pre_tokenizer, parts.file, "tokenizer.pre_tokenizer"), byte_level);
}

ByteBpeEngine::ByteBpeEngine(const TokenizerParts& parts, bool with_prefix)
    : model(parts.tokens, parts.merges, byte_options(parts)), prefix_space(with_prefix) {}

}  // namespace text

Tokenizer::Impl::Impl(text::TokenizerParts given)
    : parts(std::move(given)), special(parts.tokens.size(), 0) {
  require(parts.options.max_word_chars > 0, ErrorKind::config, "tokenizer",
          "max_word_chars must be > 0, got 0");
  if (!parts.sentencepiece.empty()) {
    sentencepiece = std::make_unique<text::SentencePiece>(
        text::parse_sentencepiece(parts.sentencepiece, parts.file));
  } else if (text::is_bert(parts)) {
    bert = std::make_unique<text::BertEngine>(parts);
  } else if (const auto prefix = text::gpt2_prefix_space(parts)) {
    byte_bpe = std::make_unique<text::ByteBpeEngine>(parts, *prefix);
  } else {
    pipeline = std::make_unique<text::Pipeline>(parts);
  }
  // Without a normalizer the text is the normalised text; only the pipeline keeps the two apart.
  const std::vector<text::AddedToken> raw = text::raw_literals(parts.added, !pipeline);
  all_literals = text::LiteralFinder(raw);
  plain_literals = text::LiteralFinder(text::not_special(raw));
  if (!parts.post_processor.is_null()) {
    around = text::compile_post_processor(
        text::Block(parts.post_processor, parts.file, "tokenizer.post_processor"),
        parts.tokens.size());
  }
  if (!parts.decoder.is_null()) {
    decoder = text::compile_decoder(text::Block(parts.decoder, parts.file, "tokenizer.decoder"));
  }
  number_specials();
}

void Tokenizer::Impl::number_specials() {
  pad = find(parts.options.pad);
  mask = find(parts.options.mask);
  unknown = parts.kind == TokenizerKind::wordpiece ? find(parts.options.unknown) : parts.unknown;
  cls = around ? around->cls() : find(parts.options.cls);
  sep = around ? around->sep() : find(parts.options.sep);
  for (const text::AddedToken& token : parts.added)
    special[static_cast<size_t>(token.id)] = token.special;
  for (const int32_t id : {pad, unknown, cls, sep, mask}) {
    if (id >= 0) special[static_cast<size_t>(id)] = 1;
  }
}

int32_t Tokenizer::Impl::find(std::string_view token) const {
  if (token.empty()) return -1;
  if (bert) return bert->model.find(token);
  if (byte_bpe) return byte_bpe->model.find(token);
  if (pipeline) return pipeline->find(token);
  const int32_t id = sentencepiece->find(token);
  if (id >= 0) return id;
  for (const text::AddedToken& added : parts.added) {
    if (added.content == token) return added.id;
  }
  return -1;
}

const text::PostProcessor& Tokenizer::Impl::boundaries() const {
  require(around.has_value(), ErrorKind::checkpoint, "tokenizer",
          "the vocabulary lacks '{}' or '{}', which open and close a sequence", parts.options.cls,
          parts.options.sep);
  return *around;
}

void Tokenizer::Impl::append(std::string_view text, SpecialText literals, Encoding& out) const {
  const size_t likely = out.ids.size() + text.size() / 4 + 4;  // with the specials around it
  out.ids.reserve(likely);
  out.begin.reserve(likely);
  out.end.reserve(likely);
  out.segments.reserve(likely);
  out.special.reserve(likely);
  pieces(text, literals, [&](int32_t id, uint32_t begin, uint32_t end, bool is_literal) {
    out.ids.push_back(id);
    out.begin.push_back(begin);
    out.end.push_back(end);
    out.special.push_back(is_literal);
  });
}

std::string Tokenizer::Impl::decode(std::span<const int32_t> ids, bool keep_special) const {
  std::vector<int32_t> kept;
  for (const int32_t id : ids) {
    require(id >= 0 && static_cast<size_t>(id) < parts.tokens.size(), ErrorKind::data, "tokenizer",
            "expected ids 0 to {}, got {}", parts.tokens.size() - 1, id);
    if (keep_special || !special[static_cast<size_t>(id)]) kept.push_back(id);
  }
  if (sentencepiece) return sentencepiece->decode(kept, parts.tokens);
  std::vector<std::string> tokens;
  tokens.reserve(kept.size());
  for (const int32_t id : kept) tokens.push_back(parts.tokens[static_cast<size_t>(id)]);
  if (decoder && !tokens.empty()) decoder(tokens);
  std::string out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!decoder && i > 0) out += ' ';
    out += tokens[i];
  }
  return out;
}

Tokenizer Tokenizer::load(const std::filesystem::path& directory) {
  return Tokenizer(std::make_shared<const Impl>(text::read_tokenizer(directory)));
}

Tokenizer Tokenizer::wordpiece(std::vector<std::string> vocabulary, WordPieceOptions options) {
  return Tokenizer(std::make_shared<const Impl>(
      text::bare_vocabulary(std::move(vocabulary), std::move(options), text::Repeats::refuse)));
}

Tokenizer Tokenizer::byte_bpe(std::vector<std::string> vocabulary,
                              const std::vector<std::string>& merges) {
  return Tokenizer(std::make_shared<const Impl>(
      text::byte_bpe_parts(std::move(vocabulary), merges, std::nullopt, "vocabulary")));
}

Tokenizer Tokenizer::sentencepiece(std::string model) {
  return Tokenizer(std::make_shared<const Impl>(
      text::sentencepiece_parts(std::move(model), std::nullopt, "the model")));
}

void Tokenizer::save(const std::filesystem::path& directory) const {
  text::write_tokenizer(impl_->parts, directory);
}

Encoding Tokenizer::encode(std::string_view text, SpecialText literals) const {
  Encoding out;
  impl_->append(text, literals, out);
  out.segments.assign(out.ids.size(), 0);
  return out;
}

void Tokenizer::encode_ids_into(std::string_view text, std::vector<int32_t>& ids,
                                SpecialText literals) const {
  impl_->pieces(text, literals, [&](int32_t id, uint32_t, uint32_t, bool) { ids.push_back(id); });
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  return impl_->decode(ids, true);
}
std::string Tokenizer::decode_without_special(std::span<const int32_t> ids) const {
  return impl_->decode(ids, false);
}

const std::string& Tokenizer::token(int32_t id) const {
  require(id >= 0 && id < size(), ErrorKind::data, "tokenizer",
          "expected an id from 0 to {}, got {}", size() - 1, id);
  return impl_->parts.tokens[static_cast<size_t>(id)];
}

std::optional<int32_t> Tokenizer::id(std::string_view token) const {
  const int32_t found = impl_->find(token);
  return found < 0 ? std::nullopt : std::optional(found);
}

int32_t Tokenizer::size() const { return static_cast<int32_t>(impl_->parts.tokens.size()); }
int32_t Tokenizer::pad_id() const { return impl_->pad; }
int32_t Tokenizer::unknown_id() const { return impl_->unknown; }
int32_t Tokenizer::cls_id() const { return impl_->cls; }
int32_t Tokenizer::sep_id() const { return impl_->sep; }
int32_t Tokenizer::mask_id() const { return impl_->mask; }
bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < size() && impl_->special[static_cast<size_t>(id)] != 0;
}

bool Tokenizer::is_continuation(int32_t id) const {
  const std::string& name = token(id);
  if (kind() == TokenizerKind::wordpiece) {
    const std::string& continuation = impl_->parts.options.continuation;
    return name.size() > continuation.size() && name.starts_with(continuation);
  }
  if (name.empty() || is_special(id)) return false;
  const bool byte_level = impl_->byte_bpe || (impl_->pipeline && impl_->pipeline->byte_level());
  if (!byte_level) return !name.starts_with(text::kWordMark);
  const auto bytes = text::bytes_of_token(name);
  return bytes && !text::is_blank(static_cast<uint8_t>(bytes->front()));
}

TokenizerKind Tokenizer::kind() const { return impl_->parts.kind; }
const WordPieceOptions& Tokenizer::options() const { return impl_->parts.options; }

std::string Tokenizer::rules() const {
  const text::TokenizerParts& parts = impl_->parts;
  const WordPieceOptions& o = parts.options;
  if (impl_->bert) {
    return fmt::format("{} {} {} {}", o.lowercase, o.strip_accents.value_or(o.lowercase),
                       o.split_chinese, o.clean_text);
  }
  nlohmann::json out = {{"normalizer", parts.normalizer}, {"pre_tokenizer", parts.pre_tokenizer}};
  if (parts.kind == TokenizerKind::wordpiece) out["longest"] = o.max_word_chars;
  if (!parts.sentencepiece.empty()) out["model"] = xxh3_64(parts.sentencepiece);
  if (!parts.scores.empty()) out["scores"] = parts.scores;
  for (const text::BpeMerge& merge : parts.merges)
    out["merges"].push_back({merge.left, merge.right});
  return out.dump();
}

}  // namespace tenfold

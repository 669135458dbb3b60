// Compiling the blocks and running them over one text.
// Not here: the blocks themselves (normalizers.cpp, splitters.cpp).
#include "text/pipeline.h"

#include "text/byte_level.h"

namespace tenfold::text {

namespace {

using Model = std::variant<WordPiece, Bpe, Unigram<double>>;

Model make_model(const TokenizerParts& parts, bool byte_level) {
  switch (parts.kind) {
    case TokenizerKind::bpe: {
      BpeOptions options = parts.bpe;
      options.byte_level = byte_level;
      options.unknown = parts.unknown;
      return Model(std::in_place_type<Bpe>, parts.tokens, parts.merges, options);
    }
    case TokenizerKind::unigram:
      return Model(std::in_place_type<Unigram<double>>, parts.tokens, parts.scores,
                   std::vector<PieceKind>{}, parts.unknown);
    case TokenizerKind::wordpiece: break;
  }
  return Model(std::in_place_type<WordPiece>, parts.tokens, parts.options.continuation,
               parts.options.unknown);
}

Splitter make_splitter(const TokenizerParts& parts, bool& byte_level) {
  if (parts.pre_tokenizer.is_null()) return nullptr;
  const Block block(parts.pre_tokenizer, parts.file, "tokenizer.pre_tokenizer");
  Splitter out = compile_splitter(block, byte_level);
  if (byte_level && parts.kind != TokenizerKind::bpe)
    block.unsupported("is ByteLevel, which goes with a BPE model alone");
  return out;
}

}  // namespace

Pipeline::Pipeline(const TokenizerParts& parts)
    : byte_fallback_(parts.byte_fallback),
      splitter_(make_splitter(parts, byte_level_)),
      max_word_chars_(parts.options.max_word_chars),
      model_(make_model(parts, byte_level_)),
      special_(parts.tokens.size(), 0) {
  if (!parts.normalizer.is_null()) {
    normalizer_ = compile_normalizer(Block(parts.normalizer, parts.file, "tokenizer.normalizer"));
  }
  for (const AddedToken& token : parts.added)
    special_[static_cast<size_t>(token.id)] = token.special;
  const std::vector<AddedToken> literals = normalized_literals(parts);
  all_literals_ = LiteralFinder(literals);
  plain_literals_ = LiteralFinder(not_special(literals));
  if (byte_fallback_) {
    for (uint32_t byte = 0; byte < 256; ++byte)
      byte_ids_.push_back(find(fallback_token(static_cast<uint8_t>(byte))));
  }
}

// Their contents are normalised too.
std::vector<AddedToken> Pipeline::normalized_literals(const TokenizerParts& parts) const {
  std::vector<AddedToken> added;
  MappedChars chars;
  MappedBytes bytes;
  for (AddedToken token : parts.added) {
    if (!token.normalized) continue;
    decode_chars(token.content, 0, chars);
    if (normalizer_) normalizer_(chars);
    bytes.assign(chars, {0, chars.size()});
    token.content = bytes.bytes;
    added.push_back(std::move(token));
  }
  return added;
}

int32_t Pipeline::find(std::string_view token) const {
  return std::visit([&](const auto& model) { return model.find(token); }, model_);
}

void Pipeline::cut(std::string_view text, uint32_t origin, SpecialText literals,
                   std::vector<CutPiece>& out) const {
  MappedChars chars;
  decode_chars(text, origin, chars);
  if (normalizer_) normalizer_(chars);
  const LiteralFinder& finder =
      literals == SpecialText::recognise ? all_literals_ : plain_literals_;
  if (finder.empty()) return cut_part(chars, {0, chars.size()}, out);
  MappedBytes bytes;
  bytes.assign(chars, {0, chars.size()});
  const std::string& normal = bytes.bytes;
  size_t place = 0;  // of the character that begins at byte `at`
  for (size_t at = 0; at < normal.size();) {
    const LiteralFinder::Found found = finder.next(normal, at);
    const size_t first = place;
    for (; at < found.begin; ++at) place += (normal[at] & 0xC0) != 0x80;
    cut_part(chars, {first, place}, out);
    if (found.id >= 0) {
      out.push_back({found.id, bytes.begin[found.begin], bytes.end[found.end - 1],
                     special_[static_cast<size_t>(found.id)] != 0});
    }
    for (; at < found.end; ++at) place += (normal[at] & 0xC0) != 0x80;
  }
}

void Pipeline::cut_part(const MappedChars& chars, CharRange part,
                        std::vector<CutPiece>& out) const {
  if (part.first == part.last) return;
  MappedBytes word;
  if (!splitter_) {
    word.assign(chars, part);
    return cut_word(word, out);
  }
  MappedChars own(chars.begin() + static_cast<std::ptrdiff_t>(part.first),
                  chars.begin() + static_cast<std::ptrdiff_t>(part.last));
  Ranges words{{0, own.size()}};
  splitter_(own, words);
  for (const CharRange& range : words) {
    word.assign(own, range);
    cut_word(word, out);
  }
}

void Pipeline::cut_word(const MappedBytes& word, std::vector<CutPiece>& out) const {
  const auto put = [&](int32_t id, uint32_t from, uint32_t to) {
    if (id >= 0) out.push_back({id, word.begin[from], word.end[to - 1], false});
  };
  const auto size = static_cast<uint32_t>(word.bytes.size());
  if (const auto* bpe = std::get_if<Bpe>(&model_)) {
    thread_local Bpe::Scratch scratch;
    return bpe->cut(word.bytes, scratch, put);
  }
  if (const auto* wordpiece = std::get_if<WordPiece>(&model_)) {
    thread_local std::vector<int32_t> scratch;
    size_t chars = 0;
    for (const char c : word.bytes) chars += (c & 0xC0) != 0x80;
    const Word as_word{word.bytes.data(),       size,
                       chars > max_word_chars_, word.begin[0],
                       word.end[size - 1],      word.begin.data(),
                       word.end.data()};
    return wordpiece->cut(as_word, scratch, put);
  }
  const auto& unigram = std::get<Unigram<double>>(model_);
  thread_local Unigram<double>::Scratch scratch;
  unigram.cut(word.bytes, scratch);
  for (size_t i = 0; i < scratch.pieces.size(); ++i) {
    const auto& piece = scratch.pieces[i];
    if (piece.id != unigram.unknown()) {
      put(piece.id, piece.begin, piece.end);
      continue;
    }
    uint32_t end = piece.end;  // neighbouring unknown characters are one piece
    while (i + 1 < scratch.pieces.size() && scratch.pieces[i + 1].id == unigram.unknown())
      end = scratch.pieces[++i].end;
    bool spelled = byte_fallback_;
    for (uint32_t at = piece.begin; at < end && spelled; ++at)
      spelled = byte_ids_[static_cast<uint8_t>(word.bytes[at])] >= 0;
    if (!spelled) {
      put(piece.id, piece.begin, end);
      continue;
    }
    for (uint32_t at = piece.begin; at < end; ++at) {
      out.push_back({byte_ids_[static_cast<uint8_t>(word.bytes[at])], word.begin[piece.begin],
                     word.end[end - 1], false});
    }
  }
}

}  // namespace tenfold::text

// The library's rules step by step: prefix and blanks, longest replacement first, unigram or BPE,
// unknown runs joined or spelled in bytes. Not here: literals such as </s> inside a text, which are
// cut out before (tokenizer_core.h).
#include "text/sentencepiece.h"

#include <algorithm>
#include <array>

#include "support/fail.h"
#include "text/byte_level.h"
#include "text/utf8.h"

namespace tenfold::text {

namespace {

constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

Trie pieces_of(const SentencePieceModel& model, std::initializer_list<PieceKind> kinds) {
  std::vector<std::string> kept(model.pieces.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    if (std::find(kinds.begin(), kinds.end(), model.kinds[i]) != kinds.end())
      kept[i] = model.pieces[i];
  }
  return trie_of(kept);
}

}  // namespace

struct SentencePiece::Normalized {
  std::string bytes;
  std::vector<uint32_t> from;  // of each byte, and of the end: where it came from

  void put(std::string_view text, uint32_t at) {
    bytes += text;
    from.resize(bytes.size(), at);
  }
};

SentencePiece::SentencePiece(SentencePieceModel model)
    : model_(std::move(model)),
      unigram_(model_.pieces, model_.scores, model_.kinds, model_.unknown),
      user_defined_(pieces_of(model_, {PieceKind::user_defined})),
      mergeable_(model_.is_bpe ? pieces_of(model_, {PieceKind::normal, PieceKind::user_defined,
                                                    PieceKind::unused})
                               : Trie()) {
  byte_ids_.fill(model_.unknown);
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const int32_t id = unigram_.find(fallback_token(static_cast<uint8_t>(byte)));
    if (id >= 0 && model_.kinds[static_cast<size_t>(id)] == PieceKind::byte) byte_ids_[byte] = id;
  }
}

// What the text begins with after normalisation, and the bytes it was.
std::pair<std::string_view, uint32_t> SentencePiece::normalize_prefix(std::string_view text) const {
  const Trie::Match whole = user_defined_.longest(text.data(), text.size());
  if (whole.id >= 0) return {text.substr(0, whole.length), whole.length};
  const CharsMap::Match match = model_.charsmap.longest(text);
  if (match.length > 0) return {match.replacement, match.length};
  const CodePoint c = decode_utf8(text, 0);
  if (!c.valid) return {kReplacementBytes, 1};
  return {text.substr(0, c.length), c.length};
}

void SentencePiece::normalize(std::string_view text, Normalized& out) const {
  out.bytes.clear();
  out.from.clear();
  uint32_t at = 0;
  const bool trims = model_.remove_extra_whitespaces;
  while (trims && at < text.size()) {
    const auto [piece, length] = normalize_prefix(text.substr(at));
    if (piece != " ") break;
    at += length;
  }
  if (at == text.size()) return;
  if (model_.add_dummy_prefix && !model_.whitespace_as_suffix) out.put(kWordMark, at);
  bool after_blank = trims;
  while (at < text.size()) {
    auto [piece, length] = normalize_prefix(text.substr(at));
    while (after_blank && piece.starts_with(' ')) piece.remove_prefix(1);
    require(out.bytes.size() + piece.size() <= 4096 + 64 * text.size(), ErrorKind::data,
            "sentencepiece", "the model's character map makes more than 64 bytes of one");
    for (size_t i = 0; i < piece.size(); ++i)
      out.put(piece[i] == ' ' ? kWordMark : piece.substr(i, 1), at);
    if (!piece.empty()) after_blank = piece.ends_with(' ');
    at += length;
    if (!trims) after_blank = false;
  }
  while (trims && out.bytes.ends_with(kWordMark)) {
    const size_t kept = out.bytes.size() - kWordMark.size();
    at = out.from[kept];
    out.bytes.resize(kept);
    out.from.resize(kept);
  }
  if (model_.add_dummy_prefix && model_.whitespace_as_suffix) out.put(kWordMark, at);
  out.from.push_back(at);
}

// A run of symbols merged by score.
void SentencePiece::cut_bpe(std::string_view text, std::vector<Unigram<float>::Piece>& out) const {
  struct BpeSymbol {
    uint32_t begin, end;  // bytes of the normalised text
    int32_t previous, next;
    bool fixed;  // a user-defined piece, which never merges
  };
  struct Pair {
    float score;
    int32_t left, right;
    uint32_t size;
    bool operator<(const Pair& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  thread_local std::vector<BpeSymbol> symbols;
  thread_local std::vector<Pair> heap;
  UnusedCuts cuts;
  symbols.clear();
  heap.clear();
  for (uint32_t at = 0; at < text.size();) {
    const Trie::Match whole = user_defined_.longest(text.data() + at, text.size() - at);
    const uint32_t length = whole.id >= 0 ? whole.length : decode_utf8(text, at).length;
    const auto i = static_cast<int32_t>(symbols.size());
    symbols.push_back({at, at + length, i - 1, i + 1, whole.id >= 0});
    at += length;
  }
  if (!symbols.empty()) symbols.back().next = -1;
  const auto offer = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) return;
    const BpeSymbol &a = symbols[static_cast<size_t>(left)],
                    &b = symbols[static_cast<size_t>(right)];
    if (a.fixed || b.fixed) return;
    const int32_t id = mergeable_.find(text.substr(a.begin, b.end - a.begin));
    if (id < 0) return;
    if (model_.kinds[static_cast<size_t>(id)] == PieceKind::unused) cuts[id] = a.end - a.begin;
    heap.push_back({model_.scores[static_cast<size_t>(id)], left, right, b.end - a.begin});
    std::push_heap(heap.begin(), heap.end());
  };
  for (int32_t i = 1; i < static_cast<int32_t>(symbols.size()); ++i) offer(i - 1, i);
  while (!heap.empty()) {
    const Pair top = heap.front();
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    BpeSymbol &a = symbols[static_cast<size_t>(top.left)],
              &b = symbols[static_cast<size_t>(top.right)];
    if (a.begin == a.end || b.begin == b.end || a.next != top.right || b.end - a.begin != top.size)
      continue;  // changed since
    a.end = b.end;
    a.next = b.next;
    if (b.next >= 0) symbols[static_cast<size_t>(b.next)].previous = top.left;
    b.end = b.begin;
    offer(a.previous, top.left);
    offer(top.left, a.next);
  }
  for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbols[static_cast<size_t>(i)].next) {
    const BpeSymbol& symbol = symbols[static_cast<size_t>(i)];
    put_unmerged(text, symbol.begin, symbol.end, cuts, out);
  }
}

// A piece that is not used is cut into the two it was made of.
void SentencePiece::put_unmerged(std::string_view text, uint32_t begin, uint32_t end,
                                 const UnusedCuts& cuts,
                                 std::vector<Unigram<float>::Piece>& out) const {
  const int32_t found = mergeable_.find(text.substr(begin, end - begin));
  const auto cut = cuts.find(found);
  if (found >= 0 && cut != cuts.end()) {
    put_unmerged(text, begin, begin + cut->second, cuts, out);
    put_unmerged(text, begin + cut->second, end, cuts, out);
    return;
  }
  out.push_back({found >= 0 ? found : model_.unknown, begin, end});
}

void SentencePiece::cut(std::string_view text, uint32_t origin, std::vector<CutPiece>& out) const {
  thread_local Normalized normal;
  thread_local Unigram<float>::Scratch scratch;
  normalize(text, normal);
  if (normal.bytes.empty()) return;
  if (model_.is_bpe) {
    scratch.pieces.clear();
    cut_bpe(normal.bytes, scratch.pieces);
  } else {
    unigram_.cut(normal.bytes, scratch);
  }
  bool after_unknown = false;
  for (const auto& piece : scratch.pieces) {
    const uint32_t begin = origin + normal.from[piece.begin], end = origin + normal.from[piece.end];
    const bool unknown = piece.id == model_.unknown;
    if (unknown && model_.byte_fallback) {
      for (uint32_t i = piece.begin; i < piece.end; ++i) {
        const int32_t id = byte_ids_[static_cast<uint8_t>(normal.bytes[i])];
        out.push_back({id, begin, i + 1 == piece.end ? end : begin, false});
      }
    } else if (unknown && after_unknown) {
      out.back().end = end;
    } else {
      out.push_back({piece.id, begin, end, false});
    }
    after_unknown = unknown;
  }
}

std::string SentencePiece::decode(std::span<const int32_t> ids,
                                  const std::vector<std::string>& tokens) const {
  std::string out, bytes;
  const auto flush = [&] {
    for (size_t at = 0; at < bytes.size();) {
      const CodePoint c = decode_utf8(bytes, at);
      if (!c.valid) {
        out += kReplacementBytes;
        ++at;
        continue;
      }
      out.append(bytes, at, c.length);
      at += c.length;
    }
    bytes.clear();
  };
  const bool strips = model_.add_dummy_prefix || model_.remove_extra_whitespaces;
  bool saw_first_mark = false;
  for (const int32_t id : ids) {
    const auto i = static_cast<size_t>(id);
    const bool known = i < model_.pieces.size();
    if (known && model_.kinds[i] == PieceKind::byte) {
      for (uint32_t byte = 0; byte < 256; ++byte) {
        if (byte_ids_[byte] == id) bytes += static_cast<char>(byte);
      }
      continue;
    }
    flush();
    std::string_view piece = tokens[i];
    if (known && model_.kinds[i] == PieceKind::control) continue;
    if (known && model_.kinds[i] == PieceKind::unknown) {
      out += model_.unknown_surface;
      continue;
    }
    if (out.empty() && !saw_first_mark && strips && piece.starts_with(kWordMark)) {
      piece.remove_prefix(kWordMark.size());
      saw_first_mark = !model_.remove_extra_whitespaces;
    }
    for (size_t at = 0; at < piece.size();) {
      const bool mark = piece.substr(at).starts_with(kWordMark);
      out += mark ? " " : std::string(1, piece[at]);
      at += mark ? kWordMark.size() : 1;
    }
  }
  flush();
  return out;
}

}  // namespace tenfold::text

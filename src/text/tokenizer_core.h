// The engine behind tenfold::Tokenizer: literals, words and pieces of one text, without allocation
// per piece on the fast paths of BERT and byte-level BPE. Not here: pairs, truncation and batches
// (tokenizer_pairs.cpp, tokenizer_batch.cpp).
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "support/fail.h"
#include "tenfold/tokenizer.h"
#include "text/char_table.h"
#include "text/decoders.h"
#include "text/gpt2_pattern.h"
#include "text/literal_finder.h"
#include "text/pipeline.h"
#include "text/post_processor.h"
#include "text/sentencepiece.h"
#include "text/vocabulary.h"
#include "text/word_scanner.h"
#include "text/wordpiece.h"

namespace tenfold {

namespace text {

/// BERT's normaliser, splitter and WordPiece in one pass.
struct BertEngine {
  explicit BertEngine(const TokenizerParts& parts);
  CharTable chars;
  WordPiece model;
};

/// GPT-2's pattern and byte-level BPE in one pass.
struct ByteBpeEngine {
  ByteBpeEngine(const TokenizerParts& parts, bool with_prefix);
  Bpe model;
  bool prefix_space;  // a blank goes before a text that has none
};

/// Error (data): `max_length` below the number of special tokens that go around.
inline void need_room(size_t max_length, size_t added) {
  require(max_length >= added, ErrorKind::data, "tokenizer",
          "max_length must leave room for {} special tokens, got {}", added, max_length);
}

}  // namespace text

struct Tokenizer::Impl {
  explicit Impl(text::TokenizerParts parts);

  /// on_piece(id, begin, end, special) for each piece of the text, positions in bytes.
  template <typename OnPiece>
  void pieces(std::string_view text, SpecialText literals, OnPiece&& on_piece) const;

  void append(std::string_view text, SpecialText literals, Encoding& out) const;
  std::string decode(std::span<const int32_t> ids, bool keep_special) const;
  int32_t find(std::string_view token) const;
  /// What goes around texts. Error (checkpoint): the vocabulary lacks it.
  const text::PostProcessor& boundaries() const;

  text::TokenizerParts parts;
  // One of these four cuts.
  std::unique_ptr<const text::BertEngine> bert;
  std::unique_ptr<const text::ByteBpeEngine> byte_bpe;
  std::unique_ptr<const text::SentencePiece> sentencepiece;
  std::unique_ptr<const text::Pipeline> pipeline;
  text::LiteralFinder all_literals, plain_literals;  // plain: the added tokens that are not special
  std::optional<text::PostProcessor> around;
  text::Decoder decoder;         // none: tokens with blanks between them
  std::vector<uint8_t> special;  // by id
  int32_t pad, unknown, cls, sep, mask;

 private:
  template <typename OnPiece>
  void bert_pieces(std::string_view text, uint32_t origin, OnPiece&& on_piece) const;
  template <typename OnPiece>
  void byte_pieces(std::string_view text, uint32_t origin, OnPiece&& on_piece) const;
  template <typename OnPiece>
  void other_pieces(std::string_view text, uint32_t origin, SpecialText literals,
                    OnPiece&& on_piece) const;
  void number_specials();
};

template <typename OnPiece>
void Tokenizer::Impl::bert_pieces(std::string_view text, uint32_t origin,
                                  OnPiece&& on_piece) const {
  thread_local text::WordScanner scanner;
  thread_local std::vector<int32_t> scratch;
  scanner.scan(bert->chars, text, origin, parts.options.max_word_chars,
               [&](const text::Word& word) {
                 bert->model.cut(word, scratch, [&](int32_t id, uint32_t from, uint32_t to) {
                   if (!word.map_begin) {
                     on_piece(id, word.begin + from, word.begin + to, false);
                   } else if (from == 0 && to == word.length) {
                     on_piece(id, word.begin, word.end, false);
                   } else {
                     on_piece(id, word.map_begin[from], word.map_end[to - 1], false);
                   }
                 });
               });
}

template <typename OnPiece>
void Tokenizer::Impl::byte_pieces(std::string_view text, uint32_t origin,
                                  OnPiece&& on_piece) const {
  thread_local text::Bpe::Scratch scratch;
  thread_local std::string prefixed;
  uint32_t shift = 0;
  if (byte_bpe->prefix_space && !text.empty() && text[0] != ' ') {
    prefixed.assign(1, ' ');
    prefixed += text;
    text = prefixed;
    shift = 1;
  }
  const bool trims = around && around->trims;
  text::split_gpt2(text, [&](size_t begin, size_t end) {
    const std::string_view word = text.substr(begin, end - begin);
    byte_bpe->model.cut(word, scratch, [&](int32_t id, uint32_t from, uint32_t to) {
      size_t first = begin + from, last = begin + to;
      if (trims) {
        while (first < last && text[first] == ' ') ++first;
        while (last > first && text[last - 1] == ' ') --last;
        if (first == last) first = last = begin + to;
      }
      // The blank put before a text has the place of its first character.
      const auto place = [&](size_t at) {
        return origin + static_cast<uint32_t>(at > shift ? at - shift : 0);
      };
      // Pieces of a part of a character have the place of all of it.
      const auto inside = [&](size_t at) {
        return at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80;
      };
      for (int i = 0; i < 3 && first > 0 && inside(first); ++i) --first;
      for (int i = 0; i < 3 && inside(last); ++i) ++last;
      if (first < shift) {
        last = std::max<size_t>(last, shift + text::decode_utf8(text, shift).length);
      }
      on_piece(id, place(first), place(last), false);
    });
  });
}

template <typename OnPiece>
void Tokenizer::Impl::other_pieces(std::string_view text, uint32_t origin, SpecialText literals,
                                   OnPiece&& on_piece) const {
  thread_local std::vector<text::CutPiece> cut;
  cut.clear();
  if (sentencepiece) {
    sentencepiece->cut(text, origin, cut);
  } else {
    pipeline->cut(text, origin, literals, cut);
  }
  for (const text::CutPiece& piece : cut) on_piece(piece.id, piece.begin, piece.end, piece.special);
}

template <typename OnPiece>
void Tokenizer::Impl::pieces(std::string_view text, SpecialText literals,
                             OnPiece&& on_piece) const {
  require(text.size() < std::numeric_limits<uint32_t>::max(), ErrorKind::data, "tokenizer",
          "a text of {} bytes is longer than 4 GiB; cut it into lines", text.size());
  const text::LiteralFinder& finder =
      literals == SpecialText::recognise ? all_literals : plain_literals;
  for (size_t at = 0; at < text.size();) {
    const text::LiteralFinder::Found found =
        finder.empty() ? text::LiteralFinder::Found{text.size(), text.size(), -1}
                       : finder.next(text, at);
    const std::string_view part = text.substr(at, found.begin - at);
    const auto origin = static_cast<uint32_t>(at);
    if (bert) {
      bert_pieces(part, origin, on_piece);
    } else if (byte_bpe) {
      byte_pieces(part, origin, on_piece);
    } else if (!part.empty()) {
      other_pieces(part, origin, literals, on_piece);
    }
    if (found.id >= 0) {
      on_piece(found.id, static_cast<uint32_t>(found.begin), static_cast<uint32_t>(found.end),
               special[static_cast<size_t>(found.id)] != 0);
    }
    at = found.end;
  }
}

}  // namespace tenfold

// The engine behind tenfold::Tokenizer: literals, words and pieces of one text, without allocation
// per piece. Not here: pairs, truncation and batches (tokenizer_pairs.cpp, tokenizer_batch.cpp).
#pragma once

#include <array>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include "support/fail.h"
#include "tenfold/tokenizer.h"
#include "text/char_table.h"
#include "text/vocabulary.h"
#include "text/word_scanner.h"
#include "text/wordpiece.h"

namespace tenfold {

namespace text {

/// Finds added tokens in raw text: leftmost, then longest. Immutable.
class LiteralFinder {
 public:
  explicit LiteralFinder(std::vector<AddedToken> added);

  struct Found {
    size_t at;
    Trie::Match match;  // id < 0: none up to the end
  };
  Found next(std::string_view text, size_t from) const {
    while (from < text.size()) {
      if (only_byte_ >= 0) {
        const void* hit = std::memchr(text.data() + from, only_byte_, text.size() - from);
        if (!hit) break;
        from = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
      } else {
        while (from < text.size() && !begins_[static_cast<uint8_t>(text[from])]) ++from;
        if (from == text.size()) break;
      }
      const Trie::Match match = trie_.longest(text.data() + from, text.size() - from);
      if (match.id >= 0) return {from, match};
      ++from;
    }
    return {text.size(), {}};
  }
  bool empty() const { return trie_.empty(); }

 private:
  Trie trie_;
  std::array<bool, 256> begins_{};
  int only_byte_ = -1;  // the first byte of every token, where they share one
};

}  // namespace text

struct Tokenizer::Impl {
  explicit Impl(text::TokenizerParts parts);

  /// on_piece(id, begin, end, special) for each piece of the text, positions in bytes.
  template <typename OnPiece>
  void pieces(std::string_view text, SpecialText literals, OnPiece&& on_piece) const;

  void append(std::string_view text, SpecialText literals, Encoding& out) const;
  std::string decode(std::span<const int32_t> ids, bool keep_special) const;

  text::TokenizerParts parts;
  text::CharTable chars;
  text::WordPiece model;
  text::LiteralFinder all_literals, plain_literals;  // plain: the added tokens that are not special
  std::vector<uint8_t> special;                      // by id
  int32_t pad, cls, sep, mask;
};

template <typename OnPiece>
void Tokenizer::Impl::pieces(std::string_view text, SpecialText literals,
                             OnPiece&& on_piece) const {
  require(text.size() < std::numeric_limits<uint32_t>::max(), ErrorKind::data, "tokenizer",
          "a text of {} bytes is longer than 4 GiB; cut it into lines", text.size());
  thread_local text::WordScanner scanner;
  thread_local std::vector<int32_t> scratch;
  const auto on_word = [&](const text::Word& word) {
    model.cut(word, scratch, [&](int32_t id, uint32_t from, uint32_t to) {
      if (!word.map_begin) {
        on_piece(id, word.begin + from, word.begin + to, false);
      } else if (from == 0 && to == word.length) {
        on_piece(id, word.begin, word.end, false);
      } else {
        on_piece(id, word.map_begin[from], word.map_end[to - 1], false);
      }
    });
  };
  const text::LiteralFinder& finder =
      literals == SpecialText::recognise ? all_literals : plain_literals;
  for (size_t at = 0; at < text.size();) {
    const text::LiteralFinder::Found found =
        finder.empty() ? text::LiteralFinder::Found{text.size(), {}} : finder.next(text, at);
    scanner.scan(chars, text.substr(at, found.at - at), static_cast<uint32_t>(at),
                 parts.options.max_word_chars, on_word);
    at = found.at;
    if (found.match.id >= 0) {
      const auto begin = static_cast<uint32_t>(at);
      on_piece(found.match.id, begin, begin + found.match.length,
               special[static_cast<size_t>(found.match.id)] != 0);
      at += found.match.length;
    }
  }
}

}  // namespace tenfold

// Greedy longest-match cutting of one normalised word into vocabulary pieces.
// Not here: finding the words (word_scanner.h) and naming the pieces (vocabulary.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/trie.h"
#include "text/word_scanner.h"

namespace tenfold::text {

/// The lookup tables of a vocabulary. Immutable, safe to share between threads.
class WordPiece {
 public:
  /// `tokens` by id, empty ones skipped; a token that stands twice has its highest id. Error
  /// (checkpoint): `unknown` missing.
  WordPiece(const std::vector<std::string>& tokens, const std::string& continuation,
            const std::string& unknown);

  /// Calls on_piece(id, first byte, last byte + 1, both in word.bytes) for each piece; a word with
  /// no cut, or one that is too long, is one unknown piece. Work is at most word length x longest
  /// token.
  template <typename OnPiece>
  void cut(const Word& word, std::vector<int32_t>& scratch, OnPiece&& on_piece) const {
    const Trie::Match whole =
        word.too_long ? Trie::Match{} : first_.longest(word.bytes, word.length);
    if (whole.length == word.length) return on_piece(whole.id, 0u, word.length);
    if (whole.id < 0) return on_piece(unknown_, 0u, word.length);
    scratch.clear();
    scratch.push_back(whole.id);
    scratch.push_back(static_cast<int32_t>(whole.length));
    for (uint32_t at = whole.length; at < word.length;) {
      const Trie::Match piece = later_.longest(word.bytes + at, word.length - at);
      if (piece.id < 0) return on_piece(unknown_, 0u, word.length);
      at += piece.length;
      scratch.push_back(piece.id);
      scratch.push_back(static_cast<int32_t>(at));
    }
    uint32_t from = 0;
    for (size_t i = 0; i < scratch.size(); i += 2) {
      const auto to = static_cast<uint32_t>(scratch[i + 1]);
      on_piece(scratch[i], from, to);
      from = to;
    }
  }

  /// The id of exactly this token, or -1.
  int32_t find(std::string_view token) const { return first_.find(token); }
  int32_t unknown() const { return unknown_; }

 private:
  Trie first_, later_;
  int32_t unknown_ = -1;
};

}  // namespace tenfold::text

// The unigram language model (Kudo 2018): the cut with the largest sum of piece scores, found by
// Viterbi. Not here: normalising text and splitting it (pipeline.h, sentencepiece.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/trie.h"

namespace tenfold::text {

/// What a piece of a SentencePiece model is; the numbers of its file format.
enum class PieceKind : uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6
};

/// Immutable, safe to share between threads. Number is float for SentencePiece's models and double
/// for tokenizer.json's, as their own packages compute: ties are decided by rounding.
template <typename Number>
class Unigram {
 public:
  struct Piece {
    int32_t id;  // `unknown` for a character without a piece
    uint32_t begin, end;
  };
  struct Scratch {
    struct Node {
      Number score;
      int32_t id;
      uint32_t from;
    };
    std::vector<Node> best;
    std::vector<Piece> pieces;
  };

  /// `kinds` empty: all are normal. Only normal and user-defined pieces match text.
  Unigram(const std::vector<std::string>& tokens, const std::vector<Number>& scores,
          const std::vector<PieceKind>& kinds, int32_t unknown);

  /// The pieces of `text` (UTF-8) into scratch.pieces, neighbouring unknown characters one by one.
  void cut(std::string_view text, Scratch& scratch) const;

  /// The id of exactly this token, or -1.
  int32_t find(std::string_view token) const { return names_.find(token); }
  int32_t unknown() const { return unknown_; }

 private:
  Trie names_, pieces_;
  std::vector<Number> scores_;  // by id
  std::vector<bool> user_defined_;
  int32_t unknown_;
  Number unknown_score_ = 0;
};

extern template class Unigram<float>;
extern template class Unigram<double>;

}  // namespace tenfold::text

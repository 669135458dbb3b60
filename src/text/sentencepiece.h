// SentencePiece (Kudo and Richardson 2018): normalising, cutting and decoding as its own library
// does it, with byte offsets. Not here: its model files (sentencepiece_model.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "text/piece.h"
#include "text/sentencepiece_model.h"

namespace tenfold::text {

/// Immutable, safe to share between threads.
class SentencePiece {
 public:
  explicit SentencePiece(SentencePieceModel model);

  /// Appends the pieces of a text whose first byte has the position `origin`.
  void cut(std::string_view text, uint32_t origin, std::vector<CutPiece>& out) const;

  /// The text of pieces; ids past the model's pieces are those of `tokens`.
  std::string decode(std::span<const int32_t> ids, const std::vector<std::string>& tokens) const;

  int32_t find(std::string_view token) const { return unigram_.find(token); }

 private:
  struct Normalized;
  std::pair<std::string_view, uint32_t> normalize_prefix(std::string_view text) const;
  void normalize(std::string_view text, Normalized& out) const;
  void cut_bpe(std::string_view text, std::vector<Unigram<float>::Piece>& out) const;
  using UnusedCuts = std::unordered_map<int32_t, uint32_t>;  // id, bytes of its first half
  void put_unmerged(std::string_view text, uint32_t begin, uint32_t end, const UnusedCuts& cuts,
                    std::vector<Unigram<float>::Piece>& out) const;

  SentencePieceModel model_;
  Unigram<float> unigram_;
  Trie user_defined_;  // matched before anything else
  Trie mergeable_;     // what BPE may make; empty for unigram
  std::array<int32_t, 256> byte_ids_;
};

}  // namespace tenfold::text

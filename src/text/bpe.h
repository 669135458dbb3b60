// Byte-pair encoding (Sennrich et al. 2016): pairs of neighbours merged by rank, lowest first, then
// leftmost. Not here: splitting text into words (gpt2_pattern.h, splitters.h) and training
// (bpe_trainer.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/trie.h"

namespace tenfold::text {

/// A rule; its place in the list is its rank.
struct BpeMerge {
  int32_t left, right, joined;
  bool operator==(const BpeMerge&) const = default;
};

struct BpeOptions {
  bool byte_level = true;      ///< words are bytes, tokens are written in the byte-level alphabet
  int32_t unknown = -1;        ///< -1: what no token covers is left out
  bool fuse_unknown = false;   ///< neighbouring unknown characters are one piece
  bool byte_fallback = false;  ///< unknown characters become tokens like <0xE4> where there are all
  bool ignore_merges = false;  ///< a word that is a token is that token
};

/// Immutable, safe to share between threads.
class Bpe {
 public:
  struct Piece {
    int32_t id;
    uint32_t begin, end;  // bytes of the word
  };
  /// What cutting needs between calls; keep one a thread.
  struct Scratch {
    std::vector<Piece> pieces;
    std::vector<uint32_t> rank;
    std::vector<std::array<uint32_t, 2>> heap;  // rank, place
    std::vector<int32_t> previous, next;
  };

  /// `tokens` by id, empty ones skipped.
  Bpe(const std::vector<std::string>& tokens, std::vector<BpeMerge> merges, BpeOptions options);

  /// Calls on_piece(id, begin, end) for the pieces of one word, in order. Time is n log n in its
  /// length at worst; allocates only for words longer than any before.
  template <typename OnPiece>
  void cut(std::string_view word, Scratch& scratch, OnPiece&& on_piece) const {
    const Trie::Match whole = whole_.longest(word.data(), word.size());
    if (whole.length == word.size() && whole.id >= 0)
      return on_piece(whole.id, 0u, static_cast<uint32_t>(word.size()));
    start(word, scratch);
    merge(scratch);
    for (const Piece& piece : scratch.pieces) on_piece(piece.id, piece.begin, piece.end);
  }

  /// The id of exactly this token, or -1.
  int32_t find(std::string_view token) const { return names_.find(token); }

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  static constexpr size_t kShort = 64;  // pieces that a plain search for the lowest rank suits
  struct Slot {
    int32_t left = -1, right = -1;
    uint32_t rank = kNoRank;
  };

  size_t first_slot(int32_t left, int32_t right) const {
    const uint64_t key =
        static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    return key * 0x9E3779B97F4A7C15ULL >> shift_;
  }
  uint32_t rank_of(int32_t left, int32_t right) const {
    for (size_t at = first_slot(left, right);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.left == left && slot.right == right) return slot.rank;
      if (slot.rank == kNoRank) return kNoRank;
    }
  }
  void fill_table();
  void start(std::string_view word, Scratch& scratch) const;
  void merge(Scratch& scratch) const;
  void merge_short(Scratch& scratch) const;
  void merge_long(Scratch& scratch) const;

  BpeOptions options_;
  std::vector<BpeMerge> merges_;
  std::vector<Slot> slots_;
  int shift_ = 0;
  std::array<int32_t, 256> byte_ids_;  // of single bytes, or of <0x..> tokens
  Trie names_, whole_;                 // whole_: words that end up as one token
};

}  // namespace tenfold::text

// The general way of cutting a text that tokenizer.json describes: normalizer, literals in the
// normalised text, pre-tokenizer, model. Not here: the fast paths (tokenizer_core.h) and
// SentencePiece's own rules (sentencepiece.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "text/literal_finder.h"
#include "text/normalizers.h"
#include "text/piece.h"
#include "text/splitters.h"
#include "text/unigram.h"
#include "text/vocabulary.h"
#include "text/wordpiece.h"

namespace tenfold::text {

/// Immutable, safe to share between threads.
class Pipeline {
 public:
  explicit Pipeline(const TokenizerParts& parts);

  /// Appends the pieces of a text whose first byte has the position `origin`; special literals are
  /// recognised or not.
  void cut(std::string_view text, uint32_t origin, SpecialText literals,
           std::vector<CutPiece>& out) const;

  int32_t find(std::string_view token) const;
  /// The model takes words as bytes.
  bool byte_level() const { return byte_level_; }

 private:
  void cut_part(const MappedChars& chars, CharRange part, std::vector<CutPiece>& out) const;
  void cut_word(const MappedBytes& word, std::vector<CutPiece>& out) const;
  std::vector<AddedToken> normalized_literals(const TokenizerParts& parts) const;

  bool byte_level_ = false, byte_fallback_ = false;  // before splitter_, which sets the first
  Normalizer normalizer_;
  Splitter splitter_;
  size_t max_word_chars_;
  std::variant<WordPiece, Bpe, Unigram<double>> model_;
  LiteralFinder all_literals_, plain_literals_;
  std::vector<uint8_t> special_;  // by id
  std::vector<int32_t> byte_ids_;
};

}  // namespace tenfold::text

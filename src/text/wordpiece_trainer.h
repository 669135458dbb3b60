// Making a WordPiece vocabulary from text: counting words with bounded memory, then merging
// frequent pairs. Not here: the tokenizer that uses it (tenfold/tokenizer.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tenfold/tokenizer.h"
#include "text/char_table.h"
#include "text/word_scanner.h"

namespace tenfold::text {

/// Distinct normalised words with their counts, sorted by word.
using WordCounts = std::vector<std::pair<std::string, uint64_t>>;

struct WordHash {
  using is_transparent = void;
  size_t operator()(std::string_view word) const { return std::hash<std::string_view>()(word); }
};
using WordCountMap = std::unordered_map<std::string, uint64_t, WordHash, std::equal_to<>>;

/// Drops the rarest words until at most `keep` remain.
void drop_rare(WordCountMap& counts, size_t keep);

/// Counts the words of a stream of texts, normalised and split exactly as the tokenizer will do it.
/// Words longer than max_word_chars are left out: they become unknown tokens anyway. Not
/// thread-safe.
class WordCounter {
 public:
  /// Holds at most `max_words` distinct words. When they are exceeded, the rarest are dropped until
  /// half remain, and what they had counted is lost; the same texts in the same order always give
  /// the same counts.
  explicit WordCounter(const WordPieceOptions& options, size_t max_words = 4'000'000);

  void add(std::string_view text);
  /// Words counted so far, repetitions included.
  uint64_t num_words() const { return num_words_; }
  WordCounts counts() const;

 private:
  std::unique_ptr<CharTable> chars_;
  WordScanner scanner_;
  size_t max_word_chars_, max_words_;
  uint64_t num_words_ = 0;
  WordCountMap counts_;
};

struct WordPieceTrainerOptions {
  size_t size = 30522;         ///< tokens to make, special ones and alphabet included
  uint64_t min_frequency = 2;  ///< pairs seen less often are not merged
  size_t limit_alphabet =
      1000;  ///< characters kept, the most frequent first; words with others are left out
  std::vector<std::string> special_tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  std::string continuation = "##";
  std::vector<std::string> alphabet =
      {};  ///< not empty: the characters kept, whatever the text holds
};

/// A vocabulary and how it came about: merge i made "left right" one piece.
struct TrainedMerges {
  std::vector<std::string> tokens, merges;
};

/// The vocabulary, in the order: special tokens, characters that begin a word, characters that
/// continue one (both by code point), then merges as they were made. Every merge joins the pair of
/// neighbouring pieces that is most frequent in the corpus (the stock trainer's score, not the
/// likelihood ratio); ties go to the pair whose pieces came first. A pure function of its
/// arguments. May give fewer than `size` tokens where pairs run out. Errors: data for no words,
/// config for a size too small for special tokens and alphabet.
std::vector<std::string> train_wordpiece(const WordCounts& words,
                                         const WordPieceTrainerOptions& options);

/// The same with its merges, for a vocabulary that is used with them. No merge makes a special
/// token.
TrainedMerges train_merges(const WordCounts& words, const WordPieceTrainerOptions& options);

}  // namespace tenfold::text

// Making a byte-level BPE vocabulary from text: counting the words of GPT-2's pattern on several
// threads, then merging frequent pairs. Not here: the merging itself, which WordPiece's trainer
// shares (wordpiece_trainer.h), and the tokenizer that uses it (bpe.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "text/wordpiece_trainer.h"

namespace tenfold::text {

/// Counts words of a stream of texts, written in the byte-level alphabet. Not thread-safe.
class ByteWordCounter {
 public:
  /// Holds at most about `max_words` distinct words: when a batch exceeds them, the rarest are
  /// dropped until half remain. The same batches give the same counts, whatever the threads.
  explicit ByteWordCounter(size_t threads = 1, size_t max_words = 4'000'000);

  void add(std::span<const std::string> texts);
  /// Words counted so far, repetitions included.
  uint64_t num_words() const { return num_words_; }
  WordCounts counts() const;

 private:
  static void count(std::span<const std::string> texts, WordCountMap& counts);

  size_t threads_, max_words_;
  uint64_t num_words_ = 0;
  WordCountMap counts_;
};

struct BpeTrainerOptions {
  size_t size = 30522;         ///< tokens to make, special ones and the 256 bytes included
  uint64_t min_frequency = 2;  ///< pairs seen less often are not merged
  std::vector<std::string> special_tokens{"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
};

/// The vocabulary in the order: special tokens, the 256 bytes by their characters, merges as they
/// were made; and the merges. Ties go to the pair whose pieces came first. A pure function of its
/// arguments. Errors as train_wordpiece.
TrainedMerges train_byte_bpe(const WordCounts& words, const BpeTrainerOptions& options);

}  // namespace tenfold::text

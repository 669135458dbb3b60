// Counting the words of byte-level BPE, each thread its share of a batch.
// Not here: merging (wordpiece_trainer.cpp).
#include "text/bpe_trainer.h"

#include <algorithm>
#include <thread>

#include "support/fail.h"
#include "text/byte_level.h"
#include "text/gpt2_pattern.h"

namespace tenfold::text {

ByteWordCounter::ByteWordCounter(size_t threads, size_t max_words)
    : threads_(std::max<size_t>(threads, 1)), max_words_(max_words) {
  require(max_words > 1, ErrorKind::config, "vocabulary", "max_words must be > 1, got {}",
          max_words);
}

void ByteWordCounter::count(std::span<const std::string> texts, WordCountMap& counts) {
  for (const std::string& text : texts) {
    split_gpt2(text, [&](size_t begin, size_t end) {
      const std::string_view word = std::string_view(text).substr(begin, end - begin);
      const auto found = counts.find(word);
      if (found != counts.end()) {
        ++found->second;
      } else {
        counts.emplace(word, 1);
      }
    });
  }
}

void ByteWordCounter::add(std::span<const std::string> texts) {
  const size_t shares = std::min(threads_, std::max<size_t>(texts.size(), 1));
  std::vector<WordCountMap> parts(shares);
  {
    std::vector<std::jthread> helpers;
    for (size_t i = 0; i < shares; ++i) {
      const size_t first = texts.size() * i / shares, last = texts.size() * (i + 1) / shares;
      const auto work = [&parts, share = texts.subspan(first, last - first), i] {
        count(share, parts[i]);
      };
      if (i + 1 < shares) {
        helpers.emplace_back(work);
      } else {
        work();
      }
    }
  }
  for (const WordCountMap& part : parts) {
    for (const auto& [word, times] : part) {
      counts_[word] += times;
      num_words_ += times;
    }
  }
  if (counts_.size() > max_words_) drop_rare(counts_, max_words_ / 2);
}

WordCounts ByteWordCounter::counts() const {
  WordCounts out;
  out.reserve(counts_.size());
  for (const auto& [word, times] : counts_) {
    std::string written;
    for (const char byte : word) written += byte_token(static_cast<uint8_t>(byte));
    out.emplace_back(std::move(written), times);
  }
  std::sort(out.begin(), out.end());
  return out;
}

TrainedMerges train_byte_bpe(const WordCounts& words, const BpeTrainerOptions& options) {
  WordPieceTrainerOptions merging;
  merging.size = options.size;
  merging.min_frequency = options.min_frequency;
  merging.special_tokens = options.special_tokens;
  merging.continuation = "";
  for (uint32_t byte = 0; byte < 256; ++byte)
    merging.alphabet.push_back(byte_token(static_cast<uint8_t>(byte)));
  std::sort(merging.alphabet.begin(), merging.alphabet.end());
  return train_merges(words, merging);
}

}  // namespace tenfold::text

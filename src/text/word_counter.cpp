// Counting words, and forgetting the rarest when there are too many.
// Not here: merging (wordpiece_trainer.cpp).
#include <algorithm>

#include "support/fail.h"
#include "text/wordpiece_trainer.h"

namespace tenfold::text {

void drop_rare(WordCountMap& counts, size_t keep) {
  for (uint64_t rare = 1; counts.size() > keep; rare *= 2)
    std::erase_if(counts, [&](const auto& entry) { return entry.second <= rare; });
}

WordCounter::WordCounter(const WordPieceOptions& options, size_t max_words)
    : chars_(std::make_unique<CharTable>(
          NormalizerOptions{.clean_text = options.clean_text,
                            .split_chinese = options.split_chinese,
                            .strip_accents = options.strip_accents.value_or(options.lowercase),
                            .lowercase = options.lowercase})),
      max_word_chars_(options.max_word_chars),
      max_words_(max_words) {
  require(max_words > 1, ErrorKind::config, "vocabulary", "max_words must be > 1, got {}",
          max_words);
}

void WordCounter::add(std::string_view text) {
  require(text.size() < UINT32_MAX, ErrorKind::data, "vocabulary",
          "a text of {} bytes is longer than 4 GiB; cut it into lines", text.size());
  scanner_.scan(*chars_, text, 0, max_word_chars_, [&](const Word& word) {
    ++num_words_;
    if (word.too_long) return;
    const std::string_view bytes(word.bytes, word.length);
    const auto found = counts_.find(bytes);
    if (found != counts_.end()) {
      ++found->second;
      return;
    }
    if (counts_.size() >= max_words_) drop_rare(counts_, max_words_ / 2);
    counts_.emplace(bytes, 1);
  });
}

WordCounts WordCounter::counts() const {
  WordCounts out(counts_.begin(), counts_.end());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace tenfold::text

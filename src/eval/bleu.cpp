// Counts of a text and the score of summed counts.
// Not here: tokens (bleu_tokens.cpp) and n-grams (ngram_overlap.h).
#include "eval/bleu.h"

#include <cmath>
#include <cstdlib>

#include "eval/ngram_overlap.h"
#include "eval/score_text.h"
#include "support/fail.h"
#include "text/utf8.h"

namespace tenfold::eval {
namespace {

std::vector<uint32_t> bleu_words(std::string_view text, const BleuOptions& options,
                                 WordNumbers& numbers) {
  // White space at the end goes first: 13a would take "-\n" there for a hyphenated word.
  size_t end = 0, at = 0;
  while (at < text.size()) {
    const text::CodePoint c = text::decode_utf8(text, at);
    at += c.length;
    if (!separates_words(c.value)) end = at;
  }
  std::string line(text.substr(0, end));
  if (options.lowercase) line = lower_cased(line);
  const std::string tokens = bleu_tokenized(line, options.tokens);
  return numbers.of(words_between_blanks(tokens));
}

}  // namespace

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  for (size_t n = 0; n < kBleuOrder; ++n) {
    shared[n] += other.shared[n];
    total[n] += other.total[n];
  }
  length += other.length;
  reference_length += other.reference_length;
  return *this;
}

BleuCounts bleu_counts(std::string_view text, std::span<const std::string> references,
                       const BleuOptions& options) {
  require(!references.empty(), ErrorKind::data, "bleu", "there is no reference to compare with");
  WordNumbers numbers;
  const Ngrams<kBleuOrder> grams(bleu_words(text, options, numbers));
  std::vector<Ngrams<kBleuOrder>> others;
  BleuCounts counts;
  counts.total = grams.totals();
  counts.length = counts.total[0];
  int64_t nearest = -1;
  for (const std::string& reference : references) {
    others.emplace_back(bleu_words(reference, options, numbers));
    const int64_t length = others.back().totals()[0];
    const int64_t distance = std::abs(length - counts.length);
    const bool nearer = nearest < 0 || distance < nearest ||
                        (distance == nearest && length < counts.reference_length);
    if (!nearer) continue;
    nearest = distance;
    counts.reference_length = length;
  }
  counts.shared = shared_ngrams<kBleuOrder>(grams, others);
  return counts;
}

BleuScore bleu_of(const BleuCounts& counts, const BleuOptions& options) {
  BleuScore score;
  score.length = counts.length;
  score.reference_length = counts.reference_length;
  if (counts.length > 0) {
    const double ratio =
        static_cast<double>(counts.reference_length) / static_cast<double>(counts.length);
    score.brevity_penalty = ratio > 1 ? std::exp(1 - ratio) : 1;
  } else {
    score.brevity_penalty = counts.reference_length > 0 ? 0 : 1;
  }
  if (counts.shared == std::array<int64_t, kBleuOrder>{}) return score;
  double log_sum = 0, halves = 1;
  size_t orders = kBleuOrder;
  bool impossible = false;  // a precision of 0: the mean of the logarithms is -infinity
  for (size_t n = 0; n < kBleuOrder; ++n) {
    const auto total = static_cast<double>(counts.total[n]);
    if (total == 0) {
      if (!options.effective_order) impossible = true;
      break;
    }
    if (options.effective_order) orders = n + 1;
    if (counts.shared[n] > 0) {
      score.precisions[n] = 100 * static_cast<double>(counts.shared[n]) / total;
    } else if (options.smoothing == BleuSmoothing::exponential) {
      halves *= 2;
      score.precisions[n] = 100 / (halves * total);
    } else {
      impossible = true;
      continue;
    }
    log_sum += std::log(score.precisions[n]);
  }
  if (!impossible)
    score.bleu = score.brevity_penalty * std::exp(log_sum / static_cast<double>(orders));
  return score;
}

}  // namespace tenfold::eval

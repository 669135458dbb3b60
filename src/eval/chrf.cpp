// Counts of a text and the score of summed counts.
// Not here: n-grams (ngram_overlap.h).
#include "eval/chrf.h"

#include "eval/ngram_overlap.h"
#include "eval/score_text.h"
#include "support/fail.h"
#include "text/mapped_chars.h"
#include "text/utf8.h"

namespace tenfold::eval {
namespace {

/// A text cut for chrF.
struct ChrfGrams {
  Ngrams<kChrfCharacters> characters;
  Ngrams<kChrfWords> words;
};

std::vector<uint32_t> characters_without_blanks(std::string_view text) {
  std::vector<uint32_t> points = text::code_points(text);
  std::erase_if(points, [](uint32_t c) { return separates_words(c); });
  for (uint32_t& c : points) ++c;  // symbols are above 0, and U+0000 is a character
  return points;
}

/// A mark at the end of a word stands apart, else one at its beginning.
std::vector<std::string_view> words_without_marks(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::string_view word : words_between_blanks(text)) {
    const bool single = text::decode_utf8(word, 0).length == word.size();
    if (!single && is_ascii_punctuation(static_cast<uint8_t>(word.back()))) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (!single && is_ascii_punctuation(static_cast<uint8_t>(word.front()))) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

ChrfGrams chrf_grams(std::string_view text, const ChrfOptions& options, WordNumbers& numbers) {
  const std::string lowered = options.lowercase ? lower_cased(text) : std::string();
  if (options.lowercase) text = lowered;
  std::vector<uint32_t> words;
  if (options.kind == ChrfKind::plus_plus) words = numbers.of(words_without_marks(text));
  return {Ngrams<kChrfCharacters>(characters_without_blanks(text)), Ngrams<kChrfWords>(words)};
}

template <size_t N>
void count_orders(const Ngrams<N>& text, const Ngrams<N>& reference, size_t first,
                  ChrfCounts& counts) {
  const auto totals = text.totals(), others = reference.totals();
  const auto shared = shared_ngrams(text, reference);
  for (size_t n = 0; n < N; ++n) {
    // An order that the reference has not counts for nothing.
    counts.orders[first + n] = {others[n] > 0 ? totals[n] : 0, others[n], shared[n]};
  }
}

}  // namespace

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
  for (size_t n = 0; n < orders.size(); ++n) {
    orders[n].text += other.orders[n].text;
    orders[n].reference += other.orders[n].reference;
    orders[n].shared += other.orders[n].shared;
  }
  return *this;
}

ChrfCounts chrf_counts(std::string_view text, std::span<const std::string> references,
                       const ChrfOptions& options) {
  require(!references.empty(), ErrorKind::data, "chrf", "there is no reference to compare with");
  WordNumbers numbers;
  const ChrfGrams grams = chrf_grams(text, options, numbers);
  ChrfCounts best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const ChrfGrams others = chrf_grams(reference, options, numbers);
    ChrfCounts counts;
    count_orders(grams.characters, others.characters, 0, counts);
    count_orders(grams.words, others.words, kChrfCharacters, counts);
    const double score = references.size() > 1 ? chrf_of(counts, options) : 0;
    if (score <= best_score) continue;
    best_score = score;
    best = counts;
  }
  return best;
}

double chrf_of(const ChrfCounts& counts, const ChrfOptions& options) {
  double precision = 0, recall = 0;
  int64_t used = 0;
  for (const ChrfCounts::Order& order : counts.orders) {
    if (order.text == 0 || order.reference == 0) continue;
    precision += static_cast<double>(order.shared) / static_cast<double>(order.text);
    recall += static_cast<double>(order.shared) / static_cast<double>(order.reference);
    ++used;
  }
  if (used == 0 || precision + recall == 0) return 0;
  precision /= static_cast<double>(used);
  recall /= static_cast<double>(used);
  const double weight = options.beta * options.beta;
  return 100 * (1 + weight) * precision * recall / (weight * precision + recall);
}

}  // namespace tenfold::eval

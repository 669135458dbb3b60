// Words, overlaps and subsequences put together to precision, recall and F.
// Not here: the stemmer (porter_stemmer.cpp) or the table of subsequences (common_subsequence.cpp).
#include "eval/rouge.h"

#include <algorithm>
#include <span>

#include "eval/common_subsequence.h"
#include "eval/ngram_overlap.h"
#include "eval/porter_stemmer.h"
#include "eval/score_text.h"
#include "support/strings.h"

namespace tenfold::eval {
namespace {

using RougeSymbols = std::vector<uint32_t>;

RougeScore rouge_score_of(int64_t shared, int64_t summary, int64_t reference) {
  RougeScore score;
  if (shared == 0 || summary == 0 || reference == 0) return score;
  score.precision = static_cast<double>(shared) / static_cast<double>(summary);
  score.recall = static_cast<double>(shared) / static_cast<double>(reference);
  score.f = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

RougeSymbols rouge_symbols(std::string_view text, Stemming stemming, WordNumbers& numbers) {
  RougeSymbols symbols;
  for (const std::string& word : rouge_words(text, stemming)) symbols.push_back(numbers.of(word));
  return symbols;
}

/// Symbols of the lines that are not empty.
std::vector<RougeSymbols> symbols_of_lines(std::string_view text, Stemming stemming,
                                           WordNumbers& numbers) {
  std::vector<RougeSymbols> lines;
  for (std::string_view line : split(text, '\n')) {
    if (!line.empty()) lines.push_back(rouge_symbols(line, stemming, numbers));
  }
  return lines;
}

int64_t count_symbols(const std::vector<RougeSymbols>& lines, std::vector<int64_t>& counts) {
  int64_t all = 0;
  for (const RougeSymbols& line : lines) {
    for (uint32_t symbol : line) ++counts[symbol];
    all += static_cast<int64_t>(line.size());
  }
  return all;
}

/// Lin (2004), section 3.2: for each line of the reference the union of its longest common
/// subsequences with all lines of the summary; no word counts more often than either text has it.
RougeScore rouge_l_of_lines(const std::vector<RougeSymbols>& summary,
                            const std::vector<RougeSymbols>& reference, uint32_t symbols) {
  std::vector<int64_t> left_summary(symbols + 1, 0), left_reference(symbols + 1, 0);
  const int64_t summary_words = count_symbols(summary, left_summary);
  const int64_t reference_words = count_symbols(reference, left_reference);
  int64_t shared = 0;
  for (const RougeSymbols& line : reference) {
    std::vector<bool> hit(line.size(), false);
    for (const RougeSymbols& other : summary) {
      for (size_t place : common_subsequence_places(line, other)) hit[place] = true;
    }
    for (size_t place = 0; place < line.size(); ++place) {
      int64_t &in_summary = left_summary[line[place]], &in_reference = left_reference[line[place]];
      if (!hit[place] || in_summary == 0 || in_reference == 0) continue;
      --in_summary;
      --in_reference;
      ++shared;
    }
  }
  return rouge_score_of(shared, summary_words, reference_words);
}

}  // namespace

std::vector<std::string> rouge_words(std::string_view text, Stemming stemming) {
  std::vector<std::string> words;
  std::string word;
  const auto close_word = [&] {
    if (stemming == Stemming::porter && word.size() > 3) word = porter_stem(word);
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (char c : lower_cased(text)) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else {
      close_word();
    }
  }
  close_word();
  return words;
}

RougeScores rouge_scores(std::string_view summary, std::string_view reference, Stemming stemming) {
  WordNumbers numbers;
  const RougeSymbols said = rouge_symbols(summary, stemming, numbers);
  const RougeSymbols right = rouge_symbols(reference, stemming, numbers);
  const Ngrams<2> said_grams(said), right_grams(right);
  const auto shared = shared_ngrams(said_grams, right_grams);
  const auto said_totals = said_grams.totals(), right_totals = right_grams.totals();
  RougeScores scores;
  scores.rouge1 = rouge_score_of(shared[0], said_totals[0], right_totals[0]);
  scores.rouge2 = rouge_score_of(shared[1], said_totals[1], right_totals[1]);
  scores.rouge_l = rouge_score_of(static_cast<int64_t>(common_subsequence_length(right, said)),
                                  said_totals[0], right_totals[0]);
  scores.rouge_l_sum =
      rouge_l_of_lines(symbols_of_lines(summary, stemming, numbers),
                       symbols_of_lines(reference, stemming, numbers), numbers.count());
  return scores;
}

}  // namespace tenfold::eval

// ROUGE of a summary against a reference (Lin 2004): shared words, word pairs, and longest common
// subsequences, as Google's rouge-score counts them. Not here: other tokens; ROUGE looks at runs of
// a-z and 0-9 alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::eval {

/// All three 0 .. 1; 0 where a side is empty.
struct RougeScore {
  double precision = 0, recall = 0, f = 0;
};

struct RougeScores {
  RougeScore rouge1, rouge2;
  RougeScore rouge_l;      ///< longest common subsequence of the whole texts
  RougeScore rouge_l_sum;  ///< of their lines (sentences), joined per reference line
};

enum class Stemming : uint8_t { none, porter };

/// Lower-case runs of a-z and 0-9; with Porter's stemmer, of words longer than three letters the
/// stem.
std::vector<std::string> rouge_words(std::string_view text, Stemming stemming = Stemming::none);

RougeScores rouge_scores(std::string_view summary, std::string_view reference,
                         Stemming stemming = Stemming::none);

}  // namespace tenfold::eval

// BLEU, chrF and ROUGE of many texts at once, by name, ready to be resampled.
// Not here: one text (bleu.h, chrf.h, rouge.h), or reading files.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/bleu.h"
#include "eval/bootstrap.h"
#include "eval/rouge.h"

namespace tenfold::eval {

struct TextScoreOptions {
  BleuTokens tokens = BleuTokens::mteval_13a;  ///< of BLEU
  Stemming stemming = Stemming::none;          ///< of ROUGE
  bool lowercase = false;                      ///< of BLEU and chrF; ROUGE never looks at case
};

/// The metrics of texts in the order of the names: bleu, chrf and chrf++ of the whole corpus,
/// rouge1, rouge2, rougeL, rougeLsum as means of F over rows, with several references of the best
/// one. Error{usage} for another name, Error{data} where the numbers of rows differ, there are
/// none, or a row has no reference (naming it).
WeightedScores text_scores_of(std::span<const std::string> texts,
                              std::span<const std::vector<std::string>> references,
                              std::span<const std::string> metrics,
                              const TextScoreOptions& options = {});

}  // namespace tenfold::eval

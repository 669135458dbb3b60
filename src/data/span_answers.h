// Answers out of the scores of a question's windows: n best spans, and whether there is one at all.
// Not here: probabilities of training, or exact-match scores (eval).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "data/span_windows.h"

namespace tenfold::data {

struct AnswerOptions {
  int64_t best = 20;        ///< begins, ends and answers looked at
  int64_t max_answer = 30;  ///< tokens of an answer
  bool no_answer = false;   ///< whether "there is none" may be the answer
  double threshold = 0;     ///< how much the score of no answer must exceed the best answer's
  void fields(config::FieldVisitor& v);
};

/// Scores of a window's tokens, one each of "tokens".
struct WindowScores {
  std::vector<double> begin, end;
};

struct ScoredSpan {
  ByteSpan bytes;          ///< in the context; empty: no answer
  double logit = 0;        ///< begin score + end score
  double probability = 0;  ///< among those listed
};

struct SpanAnswers {
  std::vector<ScoredSpan> best;  ///< best first, texts pairwise different; "no answer" among them
                                 ///< where it may be
  double no_answer_margin = 0;   ///< score of no answer - score of the best answer
  bool answered = true;          ///< false: no answer is the verdict
  /// The verdict: the best answer, or the empty one.
  const ScoredSpan& verdict() const;
};

/// The rules of the SQuAD evaluation of BERT's release: in each window the `best` highest begins
/// and ends inside the context are paired, an answer begins in the window that owns its first
/// token, and has at most `max_answer` tokens; the score of "no answer" is the lowest over windows
/// of both scores at [CLS]. Error{run} where a score is not finite.
SpanAnswers span_answers(std::string_view context, std::span<const SpanWindow> windows,
                         std::span<const WindowScores> scores, const AnswerOptions& options);

}  // namespace tenfold::data

// Exact match and F1 of short answers, as the SQuAD scorers count them (Rajpurkar et al. 2016 and
// 2018). Not here: finding answers in a text, or reading SQuAD files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/bootstrap.h"

namespace tenfold::eval {

/// Lower case without ASCII punctuation and the words a, an, the; single blanks between words.
std::string normalized_answer(std::string_view text);

enum class EmptyAnswers : uint8_t {
  never_match,  ///< SQuAD 1.1: without a common word F1 is 0
  match_empty,  ///< SQuAD 2.0: where one side is empty, F1 is 1 if both are, else 0
};

struct AnswerScore {
  double exact = 0;  ///< 1 where the normalised texts are equal, else 0
  double f1 = 0;     ///< of the words they share
};

/// The best of each over the accepted answers; Error{data} without any.
AnswerScore score_answer(std::string_view predicted, std::span<const std::string> accepted,
                         EmptyAnswers rule);

/// One question: without `accepted` it has no answer, and the right prediction is "".
struct AnsweredQuestion {
  std::string id;
  std::vector<std::string> accepted;
};

struct SquadScores {
  double exact = 0, f1 = 0;  ///< means over all questions, 0 .. 1
  int64_t questions = 0;
  double answerable_exact = 0, answerable_f1 = 0;  ///< over those with an answer
  int64_t answerable = 0;
  double unanswerable_exact = 0;  ///< over those without: the share left unanswered
  int64_t missing = 0;            ///< without a prediction: they score 0
  int64_t unknown = 0;            ///< predictions whose id is no question's
  std::vector<AnswerScore> by_question;
};

/// Rule of 2.0 where some question has no answer, else of 1.1; in 2.0 accepted answers that are
/// empty once normalised do not count beside others. Questions without a prediction stay in the
/// means, as in the scorer of 1.1 (that of 2.0 leaves them out). Error{data} without questions.
SquadScores score_squad(std::span<const AnsweredQuestion> questions,
                        const std::map<std::string, std::string>& predictions);

/// What answering only below a probability of "no answer" would give at best.
struct NoAnswerThreshold {
  double score = 0;      ///< mean over all questions, 0 .. 1
  double threshold = 0;  ///< answer where the probability is at most this
};

/// A question as the search for the best threshold sees it.
struct ThresholdQuestion {
  double no_answer = 0;  ///< probability, or any score that rises with it
  double score = 0;      ///< exact match or F1 of the predicted text
  bool answerable = true;
  bool answered = true;  ///< the predicted text is not empty
};

/// The official search: questions in rising order of `no_answer`, the first best one wins.
/// Error{data} without questions, or naming the row of a score that is not finite.
NoAnswerThreshold best_no_answer_threshold(std::span<const ThresholdQuestion> questions);

/// Exact match and F1, in this order, as the bootstrap resamples them.
WeightedScores resampled_squad(const SquadScores& scores);

}  // namespace tenfold::eval

// Normalising and comparing answers word by word.
// Not here: what a word is elsewhere (score_text.h).
#include "eval/squad_score.h"

#include <algorithm>
#include <numeric>

#include "eval/finite_scores.h"
#include "eval/resampled_scores.h"
#include "eval/score_text.h"
#include "support/fail.h"
#include "text/utf8.h"

namespace tenfold::eval {
namespace {

constexpr const char* kAnswersWhere = "answers";

/// Puts a blank in place of each word that is an article; words are runs of letters and numbers.
std::string without_articles(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  size_t begin = 0;  // of the run of letters and numbers that is open
  const auto close_run = [&](size_t end) {
    const std::string_view run = std::string_view(text).substr(begin, end - begin);
    const bool article = run == "a" || run == "an" || run == "the";
    out += article ? std::string_view(" ") : run;
  };
  for (size_t i = 0; i < text.size();) {
    const text::CodePoint c = text::decode_utf8(text, i);
    if (!is_letter_or_number(c.value)) {
      close_run(i);
      out.append(text, i, c.length);
      begin = i + c.length;
    }
    i += c.length;
  }
  close_run(text.size());
  return out;
}

using SortedWords = std::vector<std::string_view>;

SortedWords sorted_words(const std::string& normalized) {
  SortedWords words = words_between_blanks(normalized);
  std::sort(words.begin(), words.end());
  return words;
}

/// Words in both lists, each as often as in the list that has fewer of it.
size_t common_words(const SortedWords& a, const SortedWords& b) {
  size_t common = 0;
  for (size_t i = 0, k = 0; i < a.size() && k < b.size();) {
    const int order = a[i].compare(b[k]);
    common += order == 0 ? 1 : 0;
    i += order <= 0 ? 1 : 0;
    k += order >= 0 ? 1 : 0;
  }
  return common;
}

double answer_f1(const SortedWords& predicted, const SortedWords& accepted, EmptyAnswers rule) {
  if (rule == EmptyAnswers::match_empty && (predicted.empty() || accepted.empty()))
    return predicted.empty() == accepted.empty() ? 1 : 0;
  const auto common = static_cast<double>(common_words(predicted, accepted));
  return common == 0 ? 0 : 2 * common / static_cast<double>(predicted.size() + accepted.size());
}

/// All in 1.1. In 2.0 those that say something; where none does, the empty answer.
std::vector<std::string> answers_that_count(const std::vector<std::string>& accepted,
                                            EmptyAnswers rule) {
  if (rule == EmptyAnswers::never_match) return accepted;
  std::vector<std::string> out;
  for (const std::string& answer : accepted) {
    if (!normalized_answer(answer).empty()) out.push_back(answer);
  }
  if (out.empty()) out.emplace_back();
  return out;
}

double mean_or_zero(double sum, int64_t count) {
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

std::string normalized_answer(std::string_view text) {
  std::string kept = lower_cased(text);
  std::erase_if(kept, [](char c) { return is_ascii_punctuation(static_cast<uint8_t>(c)); });
  const std::string spaced = without_articles(kept);
  std::string out;
  for (std::string_view word : words_between_blanks(spaced)) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

AnswerScore score_answer(std::string_view predicted, std::span<const std::string> accepted,
                         EmptyAnswers rule) {
  require(!accepted.empty(), ErrorKind::data, kAnswersWhere, "there is no answer to compare with");
  const std::string said = normalized_answer(predicted);
  const SortedWords said_words = sorted_words(said);
  AnswerScore best;
  for (const std::string& answer : accepted) {
    const std::string right = normalized_answer(answer);
    best.exact = std::max(best.exact, said == right ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, answer_f1(said_words, sorted_words(right), rule));
  }
  return best;
}

SquadScores score_squad(std::span<const AnsweredQuestion> questions,
                        const std::map<std::string, std::string>& predictions) {
  require(!questions.empty(), ErrorKind::data, kAnswersWhere, "there are no questions to score");
  const bool all_have_answers = std::none_of(questions.begin(), questions.end(),
                                             [](const auto& q) { return q.accepted.empty(); });
  const EmptyAnswers rule =
      all_have_answers ? EmptyAnswers::never_match : EmptyAnswers::match_empty;
  SquadScores scores;
  for (const AnsweredQuestion& question : questions) {
    const auto found = predictions.find(question.id);
    AnswerScore score;
    if (found == predictions.end()) {
      ++scores.missing;
    } else {
      score = score_answer(found->second, answers_that_count(question.accepted, rule), rule);
    }
    scores.by_question.push_back(score);
    scores.exact += score.exact;
    scores.f1 += score.f1;
    if (question.accepted.empty()) {
      scores.unanswerable_exact += score.exact;
    } else {
      ++scores.answerable;
      scores.answerable_exact += score.exact;
      scores.answerable_f1 += score.f1;
    }
  }
  scores.questions = static_cast<int64_t>(questions.size());
  scores.unknown = static_cast<int64_t>(predictions.size()) - (scores.questions - scores.missing);
  scores.exact = mean_or_zero(scores.exact, scores.questions);
  scores.f1 = mean_or_zero(scores.f1, scores.questions);
  scores.answerable_exact = mean_or_zero(scores.answerable_exact, scores.answerable);
  scores.answerable_f1 = mean_or_zero(scores.answerable_f1, scores.answerable);
  scores.unanswerable_exact =
      mean_or_zero(scores.unanswerable_exact, scores.questions - scores.answerable);
  return scores;
}

NoAnswerThreshold best_no_answer_threshold(std::span<const ThresholdQuestion> questions) {
  require(!questions.empty(), ErrorKind::data, kAnswersWhere, "there are no questions to score");
  std::vector<double> probabilities;
  double sum = 0;  // with every question left unanswered
  for (const ThresholdQuestion& question : questions) {
    probabilities.push_back(question.no_answer);
    sum += question.answerable ? 0 : 1;
  }
  require_finite_scores(probabilities, "probability of no answer");
  std::vector<size_t> order(questions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return questions[a].no_answer < questions[b].no_answer;
  });
  double best = sum, threshold = 0;
  for (size_t i : order) {
    const ThresholdQuestion& question = questions[i];
    sum += question.answerable ? question.score : question.answered ? -1 : 0;
    if (sum > best) {
      best = sum;
      threshold = question.no_answer;
    }
  }
  return {.score = best / static_cast<double>(questions.size()), .threshold = threshold};
}

WeightedScores resampled_squad(const SquadScores& scores) {
  std::vector<double> exact, f1;
  for (const AnswerScore& score : scores.by_question) {
    exact.push_back(score.exact);
    f1.push_back(score.f1);
  }
  return mean_scores_of({std::move(exact), std::move(f1)});
}

}  // namespace tenfold::eval

// Answers against 200 results by the rules of the SQuAD scorers, and small ones by hand.
// Not here: answering.
#include "eval/squad_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Answers = std::vector<std::string>;

TEST(AnswerScore, EqualsTheGoldensByBothRules) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-squad.jsonl")) {
    const auto predicted = row["prediction"].get<std::string>();
    const auto answers = row["answers"].get<Answers>();
    EXPECT_EQ(normalized_answer(predicted), row["normalized"].get<std::string>());
    const AnswerScore first = score_answer(predicted, answers, EmptyAnswers::never_match);
    const AnswerScore second = score_answer(predicted, answers, EmptyAnswers::match_empty);
    EXPECT_EQ(first.exact, row["em"].get<double>()) << row.dump();
    EXPECT_NEAR(first.f1, row["f1_v1"].get<double>(), 1e-9) << row.dump();
    EXPECT_NEAR(second.f1, row["f1_v2"].get<double>(), 1e-9) << row.dump();
  }
}

TEST(NormalizedAnswer, DropsArticlesOnlyWhereTheyAreWords) {
  EXPECT_EQ(normalized_answer("The theatre, an A-team and a\tcat"), "theatre ateam and cat");
  EXPECT_EQ(normalized_answer("a\xE2\x80\x94the"), "\xE2\x80\x94");  // a dash ends a word
  EXPECT_EQ(normalized_answer("the\xC3\xA9"), "the\xC3\xA9");        // an accented letter does not
  EXPECT_EQ(normalized_answer("ΟΔΟΣ"), "οδος");
}

TEST(AnswerScore, TakesTheBestAnswer) {
  // Two of three words shared: F1 = 2 * 2 / (2 + 3).
  EXPECT_DOUBLE_EQ(
      score_answer("red car", Answers{"bus", "red fast car"}, EmptyAnswers::never_match).f1, 0.8);
  EXPECT_THROW(score_answer("x", Answers{}, EmptyAnswers::never_match), Error);
}

TEST(SquadScores, CountUnanswerableAndMissingQuestions) {
  const std::vector<AnsweredQuestion> questions = {
      {"q1", {"cat"}}, {"q2", {}}, {"q3", {}}, {"q4", {"dog"}}};
  const SquadScores scores =
      score_squad(questions, {{"q1", "the cat"}, {"q2", ""}, {"q3", "something"}, {"q9", "x"}});
  EXPECT_EQ(scores.questions, 4);
  EXPECT_EQ(scores.answerable, 2);
  EXPECT_EQ(scores.missing, 1);
  EXPECT_EQ(scores.unknown, 1);
  EXPECT_DOUBLE_EQ(scores.exact, 0.5);
  EXPECT_DOUBLE_EQ(scores.answerable_f1, 0.5);
  EXPECT_DOUBLE_EQ(scores.unanswerable_exact, 0.5);
  EXPECT_THROW(score_squad({}, {}), Error);
}

TEST(SquadScores, FollowTheFirstVersionWhereEveryQuestionHasAnAnswer) {
  const std::vector<AnsweredQuestion> questions = {{"q1", {"the"}}};
  EXPECT_EQ(score_squad(questions, {{"q1", "a"}}).f1, 0);
}

TEST(NoAnswerThreshold, IsWhereAnsweringPaysMost) {
  // Sure and right, unsure and right, surely no answer, answered though there is none.
  const std::vector<ThresholdQuestion> questions = {
      {.no_answer = 0.1, .score = 1},
      {.no_answer = 0.4, .score = 1},
      {.no_answer = 0.9, .score = 0, .answerable = false, .answered = false},
      {.no_answer = 0.8, .score = 0, .answerable = false}};
  const NoAnswerThreshold best = best_no_answer_threshold(questions);
  EXPECT_DOUBLE_EQ(best.threshold, 0.4);
  EXPECT_DOUBLE_EQ(best.score, 1);
  const std::vector<ThresholdQuestion> broken = {
      {.no_answer = std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_THROW(best_no_answer_threshold(broken), Error);
}

}  // namespace
}  // namespace tenfold::eval

// Reading ids and answers; figures as the SQuAD scorers name them.
// Not here: reading questions (data/span_rows.h).
#include "score_answers.h"

#include <map>

#include "data/span_rows.h"
#include "data/text_lines.h"
#include "eval/resampled_scores.h"
#include "eval/squad_score.h"
#include "support/fail.h"
#include "support/json.h"

namespace tenfold::app {
namespace {

std::map<std::string, std::string> answers_of_file(const std::filesystem::path& path) {
  require(std::filesystem::exists(path), ErrorKind::data, "evaluate", "{} does not exist",
          path.string());
  std::map<std::string, std::string> answers;
  data::TextLines text(path);
  const auto take = [&](const std::string& id, nlohmann::json&& value, int64_t line) {
    require(value.is_string(), ErrorKind::data, "evaluate",
            "{}:{}: the answer to '{}' is no text; expected {{\"question id\": \"answer\", ...}}",
            path.string(), line, id);
    require(answers.emplace(id, value.get<std::string>()).second, ErrorKind::data, "evaluate",
            "{}:{}: the question '{}' is answered twice", path.string(), line, id);
  };
  parse_json_items([&] { return text.next_piece(); }, path.string(), ErrorKind::data, "evaluate",
                   kRowLimits, {{.path = {"*"}, .take = take}});
  return answers;
}

std::vector<eval::AnsweredQuestion> questions_of_file(const std::filesystem::path& path) {
  std::vector<eval::AnsweredQuestion> questions;
  for (const data::SpanRow& row : data::read_spans(path, {}, data::Labels::optional).rows) {
    eval::AnsweredQuestion question{row.id, {}};
    for (const data::SpanAnswer& answer : row.answers) question.accepted.push_back(answer.text);
    questions.push_back(std::move(question));
  }
  return questions;
}

}  // namespace

ModelScores score_answers(const std::filesystem::path& predictions,
                          const std::filesystem::path& questions) {
  const auto asked = questions_of_file(questions);
  const eval::SquadScores squad = eval::score_squad(asked, answers_of_file(predictions));
  require(squad.missing < squad.questions, ErrorKind::data, "evaluate",
          "{} answers none of the {} questions of {}", predictions.string(), squad.questions,
          questions.string());
  ModelScores scores;
  scores.rows = squad.questions;
  scores.figures = {
      {"task", "span"}, {"examples", squad.questions}, {"exact", squad.exact}, {"f1", squad.f1}};
  if (squad.answerable < squad.questions) {
    scores.figures["answerable"] = squad.answerable;
    scores.figures["answerable_exact"] = squad.answerable_exact;
    scores.figures["answerable_f1"] = squad.answerable_f1;
    scores.figures["unanswerable_exact"] = squad.unanswerable_exact;
  }
  scores.figures["missing"] = squad.missing;
  scores.figures["unknown"] = squad.unknown;
  scores.compared = {"exact", "f1"};
  scores.resampled = eval::resampled_squad(squad);
  return scores;
}

}  // namespace tenfold::app

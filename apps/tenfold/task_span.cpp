// Span question answering: SQuAD files in, exact match and F1 out.
// Not here: answers to single questions (the public Model).
#include "task_span.h"

#include "data/span_answers.h"
#include "data/span_collator.h"
#include "data/span_rows.h"
#include "data/span_windows.h"
#include "eval/resampled_scores.h"
#include "eval/squad_score.h"
#include "model/span_objective.h"
#include "support/fail.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

data::SpanQuestion question_of(const data::SpanRow& row) {
  data::SpanQuestion question{.question = row.question, .context = *row.context};
  if (!row.answers.empty()) {
    const data::SpanAnswer& answer = row.answers.front();
    question.answer = data::ByteSpan{answer.begin, answer.begin + answer.text.size()};
  }
  return question;
}

class SpanQuestions final : public TaskRows {
 public:
  SpanQuestions(std::vector<data::SpanRow> rows, const TaskReading& reading)
      : answers_(reading.task.as<SpanTaskOptions>().answers) {
    size_t left_out = 0;
    for (data::SpanRow& row : rows) {
      auto windows = windows_of(row, reading);
      if (windows.empty()) {
        ++left_out;
        continue;
      }
      first_window_.push_back(windows_.size());
      for (data::SpanWindow& window : windows) {
        examples.push_back(std::move(window.example));
        windows_.push_back(std::move(window));
      }
      rows_.push_back(std::move(row));
    }
    first_window_.push_back(windows_.size());
    if (left_out > 0)
      reading.log.warn("{}: {} questions are too long for their windows: skipped",
                       reading.file.string(), left_out);
    require(!rows_.empty(), ErrorKind::data, "task", "{}: no question fits into its windows",
            reading.file.string());
  }

  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::SpanObjective objective(model.span);
    std::vector<data::WindowScores> scores(windows_.size());
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const model::SpanLogits logits =
          objective.logits(*model.encoder, batch, PassContext::evaluation());
      const auto found = window_scores(logits, batch.input("tokens").layout);
      for (size_t i = 0; i < indices.size(); ++i) scores[indices[i]] = found[i];
      return model::SpanObjective::judge(logits, batch);
    };
    const auto run =
        eval::evaluate_steps(*model.encoder, step, data::SpanCollator(), examples, options);
    return figures_of(scores, run.loss);
  }

 private:
  /// None where the question leaves a window no room and bad rows may be skipped.
  std::vector<data::SpanWindow> windows_of(const data::SpanRow& row,
                                           const TaskReading& reading) const {
    const data::WindowOptions options =
        reading.task.as<SpanTaskOptions>().window_options(reading.max_length);
    try {
      return data::span_windows(question_of(row), data::Answers::known, reading.tokenizer, options,
                                fmt::format("{}:{}", reading.file.string(), row.line),
                                windows_.size());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::data || !reading.columns.skip_bad) throw;
      return {};
    }
  }

  ModelScores figures_of(std::span<const data::WindowScores> scores, double loss) const {
    std::vector<eval::AnsweredQuestion> questions;
    std::map<std::string, std::string> predictions;
    for (size_t row = 0; row < rows_.size(); ++row) {
      const size_t first = first_window_[row], count = first_window_[row + 1] - first;
      const std::string& context = *rows_[row].context;
      const data::SpanAnswers answers =
          data::span_answers(context, std::span(windows_).subspan(first, count),
                             scores.subspan(first, count), answers_);
      const data::ByteSpan best = answers.verdict().bytes;
      predictions[rows_[row].id] = context.substr(best.begin, best.end - best.begin);
      questions.push_back({.id = rows_[row].id, .accepted = {}});
      for (const data::SpanAnswer& answer : rows_[row].answers)
        questions.back().accepted.push_back(answer.text);
    }
    const eval::SquadScores squad = eval::score_squad(questions, predictions);
    ModelScores out{.figures = {{"task", "span"},
                                {"examples", rows_.size()},
                                {"f1", squad.f1},
                                {"exact", squad.exact}},
                    .compared = {"exact", "f1"},
                    .rows = squad.questions};
    if (squad.answerable < squad.questions) {
      out.figures["answerable_f1"] = squad.answerable_f1;
      out.figures["answerable_exact"] = squad.answerable_exact;
      out.figures["unanswerable_exact"] = squad.unanswerable_exact;
    }
    out.figures["windows"] = windows_.size();
    out.figures["loss"] = loss;
    out.resampled = eval::resampled_squad(squad);
    return out;
  }

  std::vector<data::SpanRow> rows_;
  data::AnswerOptions answers_;
  std::vector<data::SpanWindow> windows_;
  std::vector<size_t> first_window_;  // of each row, and the number of windows
};

std::vector<data::SpanRow> read_passages(const RowReading& reading) {
  auto file = data::read_spans(reading.file, rules_of(reading.columns), data::Labels::required);
  report_rows(file, reading.log);
  return std::move(file.rows);
}

std::unique_ptr<TaskRows> read_questions(const TaskReading& reading, std::vector<std::string>&) {
  std::vector<data::SpanRow> questions = read_passages(reading.rows());
  const auto impossible =
      std::count_if(questions.begin(), questions.end(),
                    [](const data::SpanRow& row) { return row.answers.empty(); });
  if (impossible > 0 && !reading.task.as<SpanTaskOptions>().answers.no_answer) {
    reading.log.warn(
        "{}: {} questions have no answer, yet all will get one: see "
        "task.span.no_answer",
        reading.file.string(), impossible);
  }
  return std::make_unique<SpanQuestions>(std::move(questions), reading);
}

}  // namespace

void SpanTaskOptions::fields(config::FieldVisitor& v) {
  v.field("stride", stride, "pieces of the passage that neighbouring windows share",
          config::at_least(0));
  v.field("max_question", max_question, "pieces of a question; the rest is cut",
          config::at_least(1));
  answers.fields(v);
}

data::WindowOptions SpanTaskOptions::window_options(size_t max_length) const {
  return {.max_length = max_length,
          .stride = static_cast<size_t>(stride),
          .max_question = static_cast<size_t>(max_question)};
}

TaskKind span_task() {
  const char* summary = "answers as spans of a passage (SQuAD)";
  return {
      .name = "span",
      .summary = summary,
      .main_metric = "f1",
      .head = model::Head::span,
      .options = config::ChoiceKind::of<SpanTaskOptions>("span", summary),
      .read = read_questions,
      .split =
          [](const RowReading& reading, const data::SplitPlan& plan) {
            return data::write_split(read_passages(reading), plan);
          },
      .make_collator = [](const TaskTraining&) { return std::make_shared<data::SpanCollator>(); },
      .make_objective =
          [](const model::LoadedModel& model, const TaskTraining&) {
            return std::make_unique<model::SpanObjective>(model.span);
          }};
}

}  // namespace tenfold::app

// Multiple choice: a question with its choices, one of them right.
// Not here: reading rows (data/object_rows.h) or what is computed (model).
#include "task_choice.h"

#include "data/group_collators.h"
#include "data/object_rows.h"
#include "data/text_group.h"
#include "eval/resampled_scores.h"
#include "model/sequence_objectives.h"
#include "support/fail.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

class ChoiceRows final : public TaskRows {
 public:
  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::ChoiceObjective objective(model.choice);
    std::vector<double> right(examples.size());
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor logits = objective.logits(*model.encoder, batch, PassContext::evaluation());
      const Tensor right_B = model::ChoiceObjective::choices(logits, batch)
                                 .argmax(1)
                                 .eq(batch.field("labels"))
                                 .to(torch::kCPU);
      for (size_t i = 0; i < indices.size(); ++i)
        right[indices[i]] = right_B[static_cast<int64_t>(i)].item<bool>() ? 1 : 0;
      return objective.judge(logits, batch);
    };
    const auto run =
        eval::evaluate_steps(*model.encoder, step, data::ChoiceCollator(), examples, options);
    ModelScores out{.figures = {{"task", "choice"},
                                {"examples", examples.size()},
                                {"accuracy", run.share("correct", "choice")},
                                {"loss", run.loss}},
                    .compared = {"accuracy"},
                    .rows = static_cast<int64_t>(examples.size())};
    out.resampled = eval::mean_scores_of({std::move(right)});
    return out;
  }
};

std::vector<data::ChoiceRow> read_problems(const RowReading& reading) {
  auto file = data::read_choices(reading.file, rules_of(reading.columns), data::Labels::required);
  report_rows(file, reading.log);
  return std::move(file.rows);
}

std::unique_ptr<TaskRows> read_choice_rows(const TaskReading& reading, std::vector<std::string>&) {
  auto rows = std::make_unique<ChoiceRows>();
  for (const data::ChoiceRow& row : read_problems(reading.rows())) {
    rows->examples.push_back(choice_example(row, reading.tokenizer, reading.max_length));
    rows->examples.back().id = rows->examples.size() - 1;
    rows->examples.back().labels = {static_cast<double>(row.label.value())};
  }
  return rows;
}

}  // namespace

std::string choice_stem(const data::ChoiceRow& row) {
  const bool both = !row.context.empty() && !row.question.empty();
  return both ? row.context + " " + row.question : row.context + row.question;
}

data::Example choice_example(const data::ChoiceRow& row, const Tokenizer& tokenizer,
                             size_t max_length) {
  data::Example example;
  const std::string stem = choice_stem(row);
  for (const std::string& choice : row.choices) {
    data::append_text(example, stem.empty() ? tokenizer.encode_single(choice, max_length)
                                            : tokenizer.encode_pair(stem, choice, max_length));
  }
  return example;
}

TaskKind choice_task() {
  const char* summary = "the right one of several choices";
  return {
      .name = "choice",
      .summary = summary,
      .main_metric = "accuracy",
      .head = model::Head::choice,
      .options = config::ChoiceKind::of<config::NoOptions>("choice", summary),
      .read = read_choice_rows,
      .split =
          [](const RowReading& reading, const data::SplitPlan& plan) {
            return data::write_split(read_problems(reading), plan);
          },
      .make_collator = [](const TaskTraining&) { return std::make_shared<data::ChoiceCollator>(); },
      .make_objective =
          [](const model::LoadedModel& model, const TaskTraining&) {
            return std::make_unique<model::ChoiceObjective>(model.choice);
          }};
}

}  // namespace tenfold::app

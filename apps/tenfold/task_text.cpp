// Tasks on a text or a pair: one class, several labels at once, a number.
// Not here: reading rows (data/task.h) or what is computed (model).
#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "data/classification_collator.h"
#include "data/target_collator.h"
#include "eval/correlation.h"
#include "eval/label_sets.h"
#include "eval/metrics.h"
#include "eval/resampled_scores.h"
#include "model/classification_objective.h"
#include "model/sequence_objectives.h"
#include "support/fail.h"
#include "task_table.h"

namespace tenfold::app {

data::TaskFile read_text_rows(const RowReading& reading, data::LabelKind labels) {
  data::TaskColumns columns = reading.columns;
  columns.label_kind = labels;
  data::TaskFile file = data::read_task(reading.file, columns, data::Labels::required);
  report_rows(file, reading.log);
  return file;
}

namespace {

std::vector<data::Example> text_examples(const TaskReading& reading, const data::TaskFile& file,
                                         std::span<const std::string> labels) {
  return data::make_examples(file.rows, reading.tokenizer, labels,
                             static_cast<int64_t>(reading.max_length), reading.file.string());
}

class ClassificationRows final : public TaskRows {
 public:
  explicit ClassificationRows(std::vector<std::string> labels) : labels_(std::move(labels)) {}

  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::ClassificationObjective objective(model.classifier);
    const auto logits = [&](const data::Batch& batch) {
      return objective.logits(*model.encoder, batch, PassContext::evaluation());
    };
    auto scores = eval::evaluate_classification(logits, data::ClassificationCollator(), examples,
                                                static_cast<int64_t>(labels_.size()), options);
    Figures figures{{"task", "classification"},
                    {"examples", examples.size()},
                    {"accuracy", eval::accuracy(scores.confusion)},
                    {"f1_macro", eval::f1_macro(scores.confusion)},
                    {"f1_micro", eval::f1_micro(scores.confusion)},
                    {"mcc", eval::matthews_correlation(scores.confusion)},
                    {"loss", scores.loss}};
    if (labels_.size() == 2) figures["f1"] = eval::f1_binary(scores.confusion);
    const int64_t majority = eval::majority_class(scores.gold);
    figures["majority_class"] = labels_[static_cast<size_t>(majority)];
    figures["majority_accuracy"] = static_cast<double>(scores.confusion.gold_count(majority)) /
                                   static_cast<double>(examples.size());
    ModelScores out{.figures = std::move(figures),
                    .compared = {"accuracy", "f1_macro", "f1_micro", "mcc"},
                    .rows = static_cast<int64_t>(examples.size())};
    std::vector<eval::ConfusionMetric> metrics = {eval::accuracy, eval::f1_macro, eval::f1_micro,
                                                  eval::matthews_correlation};
    if (labels_.size() == 2) {
      out.compared.emplace_back("f1");
      metrics.emplace_back(eval::f1_binary);
    }
    out.resampled = eval::confusion_scores_of(
        scores.gold, scores.predicted, static_cast<int64_t>(labels_.size()), std::move(metrics));
    return out;
  }

 private:
  std::vector<std::string> labels_;
};

std::unique_ptr<TaskRows> read_classes(const TaskReading& reading,
                                       std::vector<std::string>& labels) {
  data::TaskFile file = read_text_rows(reading.rows(), data::LabelKind::one);
  if (labels.empty()) {
    labels = data::label_set(file.rows);
    require_utf8_labels(labels, reading.file);
  }
  drop_bad_rows(file.rows, reading.rows(), reading.columns.skip_bad, [&](const data::TaskRow& row) {
    const bool known = row.label && contains(labels, *row.label);
    return known ? std::string() : unknown_label(row.label.value_or(""), labels);
  });
  auto rows = std::make_unique<ClassificationRows>(labels);
  rows->examples = text_examples(reading, file, labels);
  return rows;
}

/// The numbers of a batch's rows at their places among all rows.
template <typename Use>
void each_row(const Tensor& numbers_BC, std::span<const size_t> indices, const Use& use) {
  const Tensor host = numbers_BC.to(torch::kCPU, torch::kDouble).contiguous();
  const auto width = static_cast<size_t>(host.size(1));
  for (size_t row = 0; row < indices.size(); ++row)
    use(indices[row], std::span(host.const_data_ptr<double>() + row * width, width));
}

class MultiLabelRows final : public TaskRows {
 public:
  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::MultiLabelObjective objective(model.classifier);
    std::vector<LabelSet> gold(examples.size()), predicted(examples.size());
    for (size_t i = 0; i < examples.size(); ++i) gold[i] = label_set_of(examples[i].labels, 0.5);
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor logits = objective.logits(*model.encoder, batch, PassContext::evaluation());
      each_row(logits, indices,
               [&](size_t i, std::span<const double> row) { predicted[i] = label_set_of(row, 0); });
      return objective.judge(logits, batch);
    };
    const auto run = eval::evaluate_steps(*model.encoder, step, data::TargetCollator("multi_label"),
                                          examples, options);
    eval::LabelSetScores scores(static_cast<int64_t>(examples[0].labels.size()));
    std::vector<std::array<int64_t, 4>> of_rows;  // decisions shared, gold and predicted; equal
    for (size_t i = 0; i < examples.size(); ++i) {
      scores.add(gold[i], predicted[i]);
      LabelSet both;
      std::set_intersection(gold[i].begin(), gold[i].end(), predicted[i].begin(),
                            predicted[i].end(), std::back_inserter(both));
      of_rows.push_back({static_cast<int64_t>(both.size()), static_cast<int64_t>(gold[i].size()),
                         static_cast<int64_t>(predicted[i].size()),
                         gold[i] == predicted[i] ? 1 : 0});
    }
    ModelScores out{.figures = {},
                    .compared = {"f1_micro", "exact"},
                    .rows = static_cast<int64_t>(examples.size())};
    const auto rows = static_cast<double>(examples.size());
    out.resampled = eval::sum_scores_of<4>(std::move(of_rows), [rows](const auto& sums) {
      const auto decisions = static_cast<double>(sums[1] + sums[2]);
      return std::vector<double>{decisions == 0 ? 0 : 2 * static_cast<double>(sums[0]) / decisions,
                                 static_cast<double>(sums[3]) / rows};
    });
    out.figures = {{"task", "multi_label"},
                   {"examples", examples.size()},
                   {"f1_micro", scores.f1_micro()},
                   {"f1_macro", scores.f1_macro()},
                   {"exact", scores.exact()},
                   {"hamming_loss", scores.hamming_loss()},
                   {"loss", run.loss}};
    return out;
  }

 private:
  using LabelSet = std::vector<int64_t>;

  static LabelSet label_set_of(std::span<const double> numbers, double above) {
    LabelSet set;
    for (size_t c = 0; c < numbers.size(); ++c)
      if (numbers[c] > above) set.push_back(static_cast<int64_t>(c));
    return set;
  }
};

std::unique_ptr<TaskRows> read_label_sets(const TaskReading& reading,
                                          std::vector<std::string>& labels) {
  data::TaskFile file = read_text_rows(reading.rows(), data::LabelKind::several);
  if (labels.empty()) {
    labels = data::label_set(file.rows);
    require(!labels.empty(), ErrorKind::data, "task", "{}: no row has a label",
            reading.file.string());
    require_utf8_labels(labels, reading.file);
  }
  std::map<std::string, size_t> index;
  for (size_t c = 0; c < labels.size(); ++c) index[labels[c]] = c;
  drop_bad_rows(file.rows, reading.rows(), reading.columns.skip_bad, [&](const data::TaskRow& row) {
    for (const std::string& label : row.labels) {
      if (!index.contains(label)) return unknown_label(label, labels);
    }
    return std::string();
  });
  auto rows = std::make_unique<MultiLabelRows>();
  rows->examples = text_examples(reading, file, {});
  for (size_t i = 0; i < file.rows.size(); ++i) {
    rows->examples[i].labels.assign(labels.size(), 0);
    for (const std::string& label : file.rows[i].labels)
      rows->examples[i].labels[index.at(label)] = 1;
  }
  return rows;
}

class RegressionRows final : public TaskRows {
 public:
  ModelScores score(const model::LoadedModel& model,
                    const eval::EvaluationOptions& options) const override {
    const model::RegressionObjective objective(model.classifier);
    std::vector<double> gold, predicted(examples.size());
    for (const data::Example& example : examples) gold.push_back(example.labels[0]);
    const auto step = [&](const data::Batch& batch, std::span<const size_t> indices) {
      const Tensor scores = objective.logits(*model.encoder, batch, PassContext::evaluation());
      each_row(scores, indices,
               [&](size_t i, std::span<const double> row) { predicted[i] = row[0]; });
      return objective.judge(scores, batch);
    };
    const auto run = eval::evaluate_steps(*model.encoder, step, data::TargetCollator("regression"),
                                          examples, options);
    ModelScores out{.figures = {{"task", "regression"}, {"examples", examples.size()}},
                    .compared = {"pearson", "spearman"},
                    .rows = static_cast<int64_t>(examples.size())};
    out.figures["pearson"] = figure_or_null(eval::pearson(predicted, gold));
    out.figures["spearman"] = figure_or_null(eval::spearman(predicted, gold));
    out.figures["loss"] = run.loss;
    out.resampled = eval::column_scores_of(std::move(predicted), std::move(gold),
                                           {eval::pearson, eval::spearman});
    return out;
  }
};

std::unique_ptr<TaskRows> read_numbers(const TaskReading& reading,
                                       std::vector<std::string>& labels) {
  const data::TaskFile file = read_text_rows(reading.rows(), data::LabelKind::score);
  if (labels.empty()) labels = {"score"};
  auto rows = std::make_unique<RegressionRows>();
  rows->examples = text_examples(reading, file, {});
  for (size_t i = 0; i < file.rows.size(); ++i)
    rows->examples[i].labels = {file.rows[i].score.value()};
  return rows;
}

template <data::LabelKind labels>
data::SplitCounts split_texts(const RowReading& reading, const data::SplitPlan& plan) {
  return data::write_split(read_text_rows(reading, labels).rows, plan);
}

/// An objective on the sequence classifier.
template <typename Kind>
std::unique_ptr<model::Objective> on_classifier(const model::LoadedModel& model,
                                                const TaskTraining&) {
  return std::make_unique<Kind>(model.classifier);
}

}  // namespace

TaskKind classification_task() {
  const char* summary = "one class of several for a text or a pair";
  return {.name = "classification",
          .summary = summary,
          .main_metric = "accuracy",
          .head = model::Head::classifier,
          .problem = model::ProblemType::single_label,
          .options = config::ChoiceKind::of<config::NoOptions>("classification", summary),
          .read = read_classes,
          .split = split_texts<data::LabelKind::one>,
          .classes = true,
          .make_collator =
              [](const TaskTraining& training) {
                return std::make_shared<data::ClassificationCollator>(training.class_weights);
              },
          .make_objective =
              [](const model::LoadedModel& model, const TaskTraining& training) {
                return std::make_unique<model::ClassificationObjective>(model.classifier,
                                                                        training.class_loss());
              }};
}

TaskKind multi_label_task() {
  const char* summary = "any number of labels for a text or a pair";
  return {
      .name = "multi_label",
      .summary = summary,
      .main_metric = "f1_micro",
      .head = model::Head::classifier,
      .problem = model::ProblemType::multi_label,
      .options = config::ChoiceKind::of<config::NoOptions>("multi_label", summary),
      .read = read_label_sets,
      .split = split_texts<data::LabelKind::several>,
      .make_collator =
          [](const TaskTraining&) { return std::make_shared<data::TargetCollator>("multi_label"); },
      .make_objective = on_classifier<model::MultiLabelObjective>};
}

TaskKind regression_task() {
  const char* summary = "a number for a text or a pair";
  return {
      .name = "regression",
      .summary = summary,
      .main_metric = "pearson",
      .head = model::Head::classifier,
      .problem = model::ProblemType::regression,
      .options = config::ChoiceKind::of<config::NoOptions>("regression", summary),
      .read = read_numbers,
      .split = split_texts<data::LabelKind::score>,
      .make_collator =
          [](const TaskTraining&) { return std::make_shared<data::TargetCollator>("regression"); },
      .make_objective = on_classifier<model::RegressionObjective>};
}

}  // namespace tenfold::app

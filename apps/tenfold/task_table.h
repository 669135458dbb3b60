// The table of task kinds: what finetune, evaluate and predict need to know of each.
// Not here: the kinds themselves (task_*.cpp), or running models (eval, train).
#pragma once

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "data/collator.h"
#include "data/split.h"
#include "data/task.h"
#include "eval/bootstrap.h"
#include "eval/objective_evaluation.h"
#include "model/checkpoint.h"
#include "model/objective.h"
#include "nn/class_loss.h"
#include "scores.h"
#include "support/fail.h"
#include "support/log.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {

/// What the rows of a file are read with before there are tokens.
struct RowReading {
  std::filesystem::path file;
  const data::TaskColumns& columns;
  const config::Choice& task;
  Log& log;
};

/// What rows become examples with.
struct TaskReading {
  std::filesystem::path file;
  const data::TaskColumns& columns;
  const config::Choice& task;
  const Tokenizer& tokenizer;
  size_t max_length = 0;  ///< tokens of a sequence
  Log& log;
  RowReading rows() const { return {file, columns, task, log}; }
};

/// The rows of one file as examples, with what their kind keeps of them for scoring.
class TaskRows {
 public:
  virtual ~TaskRows() = default;
  /// Runs the model over all rows. The labels of what comes out are the caller's to add.
  virtual ModelScores score(const model::LoadedModel& model,
                            const eval::EvaluationOptions& options) const = 0;
  std::vector<data::Example> examples;
};

/// What training is set up with.
struct TaskTraining {
  const config::Choice& task;
  std::vector<double> class_weights = {};  ///< by class index; none: all 1
  double label_smoothing = 0;
  torch::TensorOptions tensors = {};

  nn::ClassLoss class_loss() const {
    return {.weights_C =
                class_weights.empty() ? torch::Tensor() : torch::tensor(class_weights, tensors),
            .label_smoothing = label_smoothing};
  }
};

struct TaskKind {
  std::string name, summary;
  std::string main_metric;
  model::Head head = model::Head::none;
  std::optional<model::ProblemType> problem = {};  ///< of Head::classifier
  config::ChoiceKind options;
  /// Reads labelled rows. `labels` are those of the head by class index, learnt from the rows where
  /// empty. Error{data} naming the row of a label that is not among them.
  std::function<std::unique_ptr<TaskRows>(const TaskReading&, std::vector<std::string>& labels)>
      read;
  /// Cuts the labelled rows of a file into train, dev and test.
  std::function<data::SplitCounts(const RowReading&, const data::SplitPlan&)> split;
  bool classes = false;  ///< labels of examples are classes, which may have weights
  std::function<std::shared_ptr<data::Collator>(const TaskTraining&)> make_collator;
  std::function<std::unique_ptr<model::Objective>(const model::LoadedModel&, const TaskTraining&)>
      make_objective;
  /// Files that a model of this kind has beside its weights; empty: none.
  std::function<void(const std::filesystem::path& folder, const model::ModelDescription&,
                     const config::Choice&, int64_t max_length)>
      write_beside = {};
};

/// A task by itself, as a configuration.
struct TaskSlot {
  config::Choice task;
  void fields(config::FieldVisitor& v) {
    v.choice("task", task, "what the model is for", v.kinds("task"));
  }
};

/// All kinds, in the order they are shown.
const std::vector<TaskKind>& task_kinds();

/// Error{usage} with the nearest name where there is none.
const TaskKind& find_task(std::string_view name);

/// The legal values of a recipe's "task" slot.
config::ChoiceTable task_choices();

/// What a model directory was fine-tuned for, with the options it remembers; without such a note
/// the kind that its head is for. An empty kind where that is none of the table's.
config::Choice task_of(const model::ModelDescription& description);

/// A task with options overridden ("task.span.no_answer=true"). A `kind` that is not empty and not
/// the task's own takes its place, with its defaults.
config::Choice task_with(config::Choice task, const std::string& kind,
                         const std::vector<std::string>& overrides);

/// The note itself, for ModelDescription::task.
std::string task_note(const config::Choice& task);

/// The kinds, one function a row of the table.
TaskKind classification_task();
TaskKind multi_label_task();
TaskKind regression_task();
TaskKind tagging_task();
TaskKind span_task();
TaskKind choice_task();
TaskKind contrastive_task();
TaskKind similarity_task();

/// Says what a reader skipped, left out or mended.
template <typename Row>
void report_rows(const data::RowFile<Row>& file, Log& log) {
  if (file.bad_rows > 0)
    log.warn("{} bad rows skipped, the first: {}", file.bad_rows, file.first_bad);
  if (file.unlabelled > 0) log.info("{} rows without a label left out", file.unlabelled);
  if (file.repaired > 0) log.warn("{} tags repaired", file.repaired);
}

/// null where a metric is undefined.
inline Figures figure_or_null(std::optional<double> value) {
  return value ? Figures(*value) : Figures();
}

/// Labelled texts and pairs, with what the reader skipped said.
data::TaskFile read_text_rows(const RowReading& reading, data::LabelKind labels);

/// Leaves out the rows that `why` finds bad (it says why; empty: the row is good), where bad rows
/// may be; one row at least must be left.
template <typename Row, typename Why>
void drop_bad_rows(std::vector<Row>& rows, const RowReading& reading, bool skip, const Why& why) {
  data::BadRows bad(reading.file.string(), skip);
  std::erase_if(rows, [&](const Row& row) {
    const std::string reason = why(row);
    if (!reason.empty()) bad.add(row.line, "{}", reason);
    return !reason.empty();
  });
  data::RowFile<Row> dropped;
  bad.report_to(dropped);
  report_rows(dropped, reading.log);
  require(!rows.empty(), ErrorKind::data, "task", "{}: no good row is left", reading.file.string());
}

inline bool contains(const std::vector<std::string>& labels, const std::string& label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// Why a row with this label is bad.
std::string unknown_label(std::string_view label, const std::vector<std::string>& labels);

/// How files that are neither columns nor labelled texts are read.
inline data::ReadingRules rules_of(const data::TaskColumns& columns) {
  return {.skip_bad = columns.skip_bad, .encoding = columns.encoding};
}

/// A label becomes part of config.json, which is UTF-8: Error{data} naming the file where one is
/// not.
void require_utf8_labels(const std::vector<std::string>& labels, const std::filesystem::path& file);

}  // namespace tenfold::app

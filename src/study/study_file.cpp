// Fields and rules of a study file.
// Not here: recipes and their keys (apps), which the overrides are checked against later.
#include "study/study_file.h"

#include <algorithm>
#include <set>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::study {
namespace {

/// The value as people write it: texts without their quotes.
std::string label_of(const config::PlainValue& value) {
  const std::string& text = value.toml;
  const bool quoted = text.size() >= 2 && text.front() == '"';
  return quoted ? text.substr(1, text.size() - 2) : text;
}

void require_distinct(const std::vector<std::string>& names, const std::string& where,
                      const char* what) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    require(seen.insert(name).second, ErrorKind::config, where, "{} '{}' stands twice", what, name);
  }
}

}  // namespace

void PretrainStage::fields(config::FieldVisitor& v) {
  v.field("recipe", recipe, "recipe of the pre-training; empty: the study starts from 'model'");
  v.field("set", set, "overrides of the recipe, as after --set");
  v.field("per_seed", per_seed, "pre-train once a seed, not once a variant");
}

void Task::fields(config::FieldVisitor& v) {
  v.field("name", name, "name in tables and run folders");
  v.field("recipe", recipe, "recipe of the fine-tuning");
  v.field("set", set, "overrides of the recipe, as after --set");
  v.field("test", test, "labelled rows that the result is measured on");
  v.field("metric", metric, "the figure that counts; empty: the study's");
}

void Task::validate(const std::string& where) const {
  require(!name.empty(), ErrorKind::config, where, "a task needs a name");
  require(name != kPretrain && name != kFinetune, ErrorKind::config, where,
          "name '{}' means a stage: call the task otherwise", name);
  require(name.find_first_of("./= ") == std::string::npos, ErrorKind::config, where,
          "name '{}' must hold no '.', '/', '=' or blank: overrides begin with it", name);
  require(!recipe.empty(), ErrorKind::config, where, "task '{}' needs a recipe", name);
  require(!test.empty(), ErrorKind::config, where, "task '{}' needs test data", name);
}

void AxisGroup::fields(config::FieldVisitor& v) {
  v.field("label", label, "name in tables");
  v.field("set", set, "overrides, each with its stage: pretrain.path=value");
}

void AxisGroup::validate(const std::string& where) const {
  require(!label.empty(), ErrorKind::config, where, "a group needs a label");
  require(!set.empty(), ErrorKind::config, where, "group '{}' sets nothing", label);
}

void Axis::fields(config::FieldVisitor& v) {
  v.field("name", name, "name in tables; empty: the path");
  v.field("path", path, "the key to vary, with its stage: pretrain.objective.mlm.probability");
  v.field("values", values, "its values");
  v.field("labels", labels, "names of the values in tables; empty: the values");
  v.groups("groups", groups, "values that change several keys together, in place of path");
}

void Axis::validate(const std::string& where) const {
  require(path.empty() != groups.empty(), ErrorKind::config, where,
          "an axis has either a path with values or groups");
  require(path.empty() == values.empty(), ErrorKind::config, where,
          "path and values belong together");
  require(labels.empty() || labels.size() == values.size(), ErrorKind::config, where,
          "{} labels for {} values", labels.size(), values.size());
  require(groups.empty() || !name.empty(), ErrorKind::config, where,
          "an axis of groups needs a name");
  std::vector<std::string> names;
  for (const AxisGroup& choice : choices()) names.push_back(choice.label);
  require_distinct(names, where, "the value");
}

std::vector<AxisGroup> Axis::choices() const {
  std::vector<AxisGroup> all = groups;
  for (size_t i = 0; i < values.size(); ++i) {
    all.push_back({.label = i < labels.size() ? labels[i] : label_of(values[i]),
                   .set = {path + "=" + values[i].toml}});
  }
  return all;
}

void Budget::fields(config::FieldVisitor& v) {
  v.field("seconds", seconds, "of the runs of this study together; 0: no limit",
          config::at_least(0));
  v.field("flops", flops, "arithmetic of the runs of this study together; 0: no limit",
          config::at_least(0));
}

void StudyFile::fields(config::FieldVisitor& v) {
  v.field("title", title, "title of the report");
  v.field("question", question, "what the study wants to know, in a sentence");
  v.field("mode", mode, "vary one axis at a time against the baseline, or all combinations",
          {{"one-at-a-time", Mode::one_at_a_time}, {"grid", Mode::grid}});
  v.field("seeds", seeds, "each fine-tuning runs once a seed", config::at_least(1));
  v.field("metric", metric,
          "the figure that counts; empty: accuracy, or the validation loss without tasks");
  v.field("keep_models", keep_models, "keep fine-tuned models once they are measured");
  v.field("prepare", prepare,
          "commands that make the data first: vocab, prepare and split with their options; $data "
          "is their folder");
  v.field("model", model, "model directory to start from, in place of a pre-training");
  v.group("budget", budget, "what all runs together may take");
  v.group("pretrain", pretrain, "the pre-training");
  v.groups("tasks", tasks, "fine-tuning");
  v.groups("axes", axes, "what is varied");
}

void StudyFile::validate(const std::string& where) const {
  require(!title.empty(), ErrorKind::config, where, "a study needs a title");
  require(!seeds.empty(), ErrorKind::config, where, "a study needs at least one seed");
  require(pretrain.recipe.empty() || model.empty(), ErrorKind::config, where,
          "give either pretrain.recipe or model");
  require(!pretrain.recipe.empty() || !model.empty(), ErrorKind::config, where,
          "give pretrain.recipe or model: there is nothing to start from");
  require(!pretrain.recipe.empty() || !tasks.empty(), ErrorKind::config, where,
          "a study without a pre-training needs tasks");
  std::vector<std::string> names, seed_names;
  for (const Task& task : tasks) names.push_back(task.name);
  require_distinct(names, where, "the task");
  for (const int64_t seed : seeds) seed_names.push_back(std::to_string(seed));
  require_distinct(seed_names, where, "the seed");
  const std::vector<std::string> makers = {"vocab", "prepare", "split"};
  for (const std::string& command : prepare) {
    const std::string first(split(trim(command), ' ').front());
    require(std::find(makers.begin(), makers.end(), first) != makers.end(), ErrorKind::config,
            where, "prepare runs vocab, prepare and split, got '{}'{}", first,
            did_you_mean(first, makers));
  }
}

void StudyFile::keep_tasks(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Task& task : tasks) known.push_back(task.name);
  for (const std::string& name : names) {
    require(std::find(known.begin(), known.end(), name) != known.end(), ErrorKind::usage, "study",
            "there is no task '{}'{}; there are: {}", name, did_you_mean(name, known),
            join(known, ", "));
  }
  std::erase_if(tasks, [&](const Task& task) {
    const bool skip = std::find(names.begin(), names.end(), task.name) == names.end();
    if (skip) skipped.push_back(task.name);
    return skip;
  });
}

std::string StudyFile::metric_of(const Task& task) const {
  if (!task.metric.empty()) return task.metric;
  return metric.empty() ? "accuracy" : metric;
}

}  // namespace tenfold::study

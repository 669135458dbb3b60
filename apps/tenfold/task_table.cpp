// Looking kinds up, and what a model directory remembers of its kind.
// Not here: the kinds.
#include "task_table.h"

#include <fmt/ranges.h>

#include "config/reader.h"
#include "config/writer.h"
#include "json_text.h"
#include "support/fail.h"
#include "support/strings.h"
#include "text/utf8.h"

namespace tenfold::app {
namespace {

config::Choice read_note(const std::string& text) {
  try {
    TaskSlot note;
    config::Document::from_json({{"task", nlohmann::json::parse(text)}}, "config.json, tenfold")
        .read(note, {{"task", task_choices()}});
    return note.task;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::config) throw;
    throw Error(ErrorKind::checkpoint, "model", error.what());
  }
}

config::Choice usual_options(const TaskKind& kind) {
  return {kind.name, std::shared_ptr<const config::OptionSet>(kind.options.make())};
}

}  // namespace

const std::vector<TaskKind>& task_kinds() {
  static const std::vector<TaskKind> kinds = {
      classification_task(), multi_label_task(), regression_task(),  tagging_task(),
      span_task(),           choice_task(),      contrastive_task(), similarity_task()};
  return kinds;
}

const TaskKind& find_task(std::string_view name) {
  std::vector<std::string> names;
  for (const TaskKind& kind : task_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  fail(ErrorKind::usage, "task", "unknown task '{}': expected one of {}{}", name, join(names, ", "),
       did_you_mean(name, names));
}

config::ChoiceTable task_choices() {
  config::ChoiceTable table;
  for (const TaskKind& kind : task_kinds()) table.push_back(kind.options);
  return table;
}

config::Choice task_of(const model::ModelDescription& description) {
  const auto fits = [&](const TaskKind& kind) {
    return kind.head == description.head() &&
           (!kind.problem || *kind.problem == description.problem);
  };
  if (!description.task.empty()) {
    const config::Choice noted = read_note(description.task);
    if (!noted.kind.empty() && fits(find_task(noted.kind))) return noted;
  }
  // Of the two kinds of sentence vectors the second one: an encoder is as good for either.
  for (auto kind = task_kinds().rbegin(); kind != task_kinds().rend(); ++kind) {
    if (fits(*kind)) return usual_options(*kind);
  }
  return {};
}

config::Choice task_with(config::Choice task, const std::string& kind,
                         const std::vector<std::string>& overrides) {
  TaskSlot settings{std::move(task)};
  const config::ChoiceTables tables{{"task", task_choices()}};
  if (!kind.empty() && kind != settings.task.kind) settings.task = usual_options(find_task(kind));
  config::Document document;
  document.set(overrides);
  document.read(settings, tables);
  return settings.task;
}

std::string task_note(const config::Choice& task) {
  TaskSlot note{task};
  return config::write_json(note).at("task").dump();
}

std::string unknown_label(std::string_view label, const std::vector<std::string>& labels) {
  return fmt::format("the label '{}' is not one of {}", label, fmt::join(labels, ", "));
}

void require_utf8_labels(const std::vector<std::string>& labels,
                         const std::filesystem::path& file) {
  for (const std::string& label : labels) {
    require(text::is_utf8(label), ErrorKind::data, "task", "{}: the label {} is not UTF-8",
            file.string(), json_text(label));
  }
}

}  // namespace tenfold::app

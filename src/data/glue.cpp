// The table of GLUE's tasks, their files, and what its server takes.
// Not here: reading rows (task_reading.cpp).
#include "data/glue.h"

#include <algorithm>
#include <cmath>

#include "data/task_formats.h"
#include "data/text_lines.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/strings.h"

namespace tenfold::data {
namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = lower_ascii(c);
  return made;
}

bool is_number(const std::string& text) {
  const auto value = parse_number<double>(text);
  return value && std::isfinite(*value);
}

const std::vector<GlueTask>& glue_tasks() {
  static const std::vector<GlueTask> tasks = [] {
    std::vector<GlueTask> made;
    for (const std::string_view name :
         {"CoLA", "SST-2", "MRPC", "STS-B", "QQP", "MNLI", "QNLI", "RTE", "WNLI", "AX"}) {
      const std::string format = "glue-" + lower(name);
      const TaskFormat known = task_format(format, {});
      made.push_back({std::string(name), format, {known.words.begin(), known.words.end()}});
    }
    return made;
  }();
  return tasks;
}

}  // namespace

const GlueTask& glue_task(std::string_view name) {
  std::vector<std::string> names;
  for (const GlueTask& task : glue_tasks()) {
    if (lower(name) == lower(task.name) || lower(name) == task.format) return task;
    names.push_back(task.name);
  }
  fail(ErrorKind::usage, "glue", "unknown task '{}': expected one of {}{}", name, join(names, ", "),
       did_you_mean(name, names));
}

std::filesystem::path glue_file(const std::filesystem::path& folder, const GlueTask& task,
                                std::string_view split) {
  const std::filesystem::path plain = folder / task.name / fmt::format("{}.tsv", split);
  if (std::filesystem::path file = existing_file(plain); !file.empty()) return file;
  const bool is_mnli = task.name == "MNLI" && (split == "dev" || split == "test");
  fail(ErrorKind::data, "glue", "no {} (nor .zst, .gz){}", plain.string(),
       is_mnli ? fmt::format("; MNLI has {0}_matched and {0}_mismatched", split) : "");
}

std::string glue_submission_name(const GlueTask& task, std::string_view split) {
  if (task.name == "MNLI") return split.ends_with("mismatched") ? "MNLI-mm.tsv" : "MNLI-m.tsv";
  return task.name + ".tsv";
}

void write_glue_submission(const std::filesystem::path& path, const GlueTask& task,
                           std::span<const std::string> predictions) {
  std::string text = "index\tprediction\n";
  for (size_t i = 0; i < predictions.size(); ++i) {
    const std::string& value = predictions[i];
    const auto& labels = task.labels;
    require(labels.empty() ? is_number(value)
                           : std::find(labels.begin(), labels.end(), value) != labels.end(),
            ErrorKind::data, "glue", "row {}: the prediction '{}' is {}{}", i, value,
            labels.empty() ? "no number" : "none of ", fmt::join(labels, ", "));
    text += fmt::format("{}\t{}\n", i, value);
  }
  write_file_atomically(path, text);
}

}  // namespace tenfold::data

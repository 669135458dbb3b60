// GLUE by task name: which files, columns and labels each task has, and the files handed in.
// Not here: reading (task.h, format "glue-..."), or scores (eval).
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/task.h"

namespace tenfold::data {

struct GlueTask {
  std::string name;                 ///< as its folder: "CoLA"
  std::string format;               ///< of TaskColumns: "glue-cola"
  std::vector<std::string> labels;  ///< words of the files; empty: scores
};

/// One of the nine tasks or AX, which has a test set alone and MNLI's labels, by name or format,
/// upper and lower case being equal. Error{usage} with the nearest.
const GlueTask& glue_task(std::string_view name);

/// The file of a split ("train", "dev", "test"; of MNLI "dev_matched", "dev_mismatched",
/// "test_matched", "test_mismatched") in a GLUE folder, plain, .gz or .zst. Error{data} naming what
/// was looked for.
std::filesystem::path glue_file(const std::filesystem::path& folder, const GlueTask& task,
                                std::string_view split);

/// Name of the file that GLUE's server takes for a task and split: "MNLI-m.tsv".
std::string glue_submission_name(const GlueTask& task, std::string_view split);

/// Writes "index<TAB>prediction" and a line per prediction: a label's word, or a score. Error{data}
/// naming the row of a prediction that is no label of the task, or no number.
void write_glue_submission(const std::filesystem::path& path, const GlueTask& task,
                           std::span<const std::string> predictions);

}  // namespace tenfold::data

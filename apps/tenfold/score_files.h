// `tenfold evaluate --predictions`: texts that already lie in files, against references in others.
// Not here: running models (command_evaluate.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "evaluated_runs.h"

namespace tenfold::app {

struct ScoredFiles {
  std::filesystem::path predictions;
  std::vector<std::filesystem::path> references;  ///< several: a reference from each for every row
  std::string metrics = "bleu,chrf,rouge1,rouge2,rougeL";
  std::string tokens = "13a";
  bool lowercase = false, stem = false;
};

/// --predictions, --references, --metrics and what they are counted with.
void add_score_files(CLI::App& command, ScoredFiles& files);

/// Scores `predictions`, a text a line or a JSON object ("text", "prediction"; in references
/// "text", "reference", or a list "references") a line of *.jsonl; both also .gz or .zst.
/// Error{data} naming file and line of a row that has none, and where the numbers of rows differ.
ModelScores score_files(const std::filesystem::path& predictions, const ScoredFiles& files);

/// The metrics there are, a line each.
std::string metrics_text();

}  // namespace tenfold::app

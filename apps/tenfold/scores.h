// What one model, or one file of predictions, scored.
// Not here: scoring (task_*.cpp, score_files.h), or comparing several (evaluated_runs.h).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "eval/bootstrap.h"

namespace tenfold::app {

/// Metrics by name, in the order they are shown.
using Figures = nlohmann::ordered_json;

struct ModelScores {
  Figures figures;  ///< "task", "examples", the main metric, the others, "loss"
  std::vector<std::string> compared = {};  ///< metrics that can be resampled, ...
  eval::WeightedScores resampled = {};     ///< ... and their values by weights of the rows
  int64_t rows = 0;
  std::vector<std::string> labels = {};  ///< what the classes mean; empty: no classes
};

}  // namespace tenfold::app

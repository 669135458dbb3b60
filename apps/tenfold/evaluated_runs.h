// `tenfold evaluate` over several models: which ones a RUN names, mean and deviation over seeds,
// and the paired comparison with a baseline. Not here: scoring one model (command_evaluate.cpp) or
// one file (score_files.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "command.h"
#include "scores.h"

namespace tenfold::app {

struct ComparedRuns {
  std::vector<std::filesystem::path> runs;      ///< of --model
  std::vector<std::filesystem::path> baseline;  ///< of --baseline; empty: none
  int64_t seeds = 0;                            ///< of each RUN of --model; 0: what is there
  int64_t draws = 2000;
};

/// --seeds, --baseline, --draws.
void add_comparison(CLI::App& command, ComparedRuns& runs);

/// The models that RUN names: RUN itself where it holds a model; RUN/best, else RUN/latest, of a
/// training run; those of RUN/seed-1, RUN/seed-2, ... in the order of their numbers. RUN where
/// nothing is found, for the reader of models to say what is missing.
std::vector<std::filesystem::path> models_of_run(const std::filesystem::path& run);

/// The first `seeds` models of each run, or all. Error{usage} naming a run that has fewer.
std::vector<std::filesystem::path> models_of_runs(const std::vector<std::filesystem::path>& runs,
                                                  int64_t seeds);

using Named = std::pair<std::filesystem::path, ModelScores>;

/// One object: means over the models, "deviation" and "runs"; of the baseline the same under
/// "baseline"; under "difference" what a paired bootstrap over the rows says. One model without a
/// baseline gives its own figures. Error{data} where the two sides, or the models of one, differ in
/// task, rows or labels.
Figures figures_of_runs(const std::vector<Named>& models, const std::vector<Named>& baseline,
                        int64_t draws);

/// The same for people: a line a figure, or a table where models are compared.
std::string figures_text(const Figures& figures);

}  // namespace tenfold::app

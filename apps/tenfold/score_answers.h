// Answers that already lie in a file, against the questions of a SQuAD file.
// Not here: how answers are compared (eval/squad_score.h).
#pragma once

#include <filesystem>

#include "evaluated_runs.h"

namespace tenfold::app {

/// `predictions`: one JSON object {"question id": "answer", ...}, "" where there is none.
/// Error{data} naming what is no such file, and where no id is one of the questions'.
ModelScores score_answers(const std::filesystem::path& predictions,
                          const std::filesystem::path& questions);

}  // namespace tenfold::app

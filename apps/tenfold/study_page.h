// The page of a study: its table, the curves of its runs, the baseline's options.
// Not here: figures (study/results.h) or drawing (eval/report.h).
#pragma once

#include <string>
#include <vector>

#include "study/run_record.h"
#include "study_setup.h"

namespace tenfold::app {

/// Writes OUT/results.md and OUT/results.json.
void write_results(const StudySetup& setup, const std::vector<study::RunRecord>& records);

/// Writes OUT/report.html. `command` is shown as what repeats it.
void write_study_page(const StudySetup& setup, const std::vector<study::RunRecord>& records,
                      const std::string& command);

}  // namespace tenfold::app

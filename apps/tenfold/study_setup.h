// A study before anything runs: the file, the plan with the recipes' effective options, and what
// each run is going to take.
// Not here: running (study_runner.h) or what the fields mean (study/study_file.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "recipe.h"
#include "study/plan.h"

namespace tenfold::app {

struct StudyArguments {
  std::filesystem::path file, out;
  std::vector<std::filesystem::path> reuse;  ///< folders of other studies
  std::vector<std::string> tasks;            ///< only these; empty: all
  std::vector<std::string> overrides;
  int64_t jobs = 1;
  bool resume = false, dry_run = false;

  /// Absolute: a run must be given the same path however --out is spelt.
  std::filesystem::path data_folder() const {
    return std::filesystem::absolute(out.empty() ? "." : out).lexically_normal() / "data";
  }
  /// `text` with $data replaced by that folder.
  std::string with_data(std::string text) const;
};

struct Estimate {
  double tokens = 0, flops = 0;  ///< at most; 0: cannot be told
};

struct StudySetup {
  StudyArguments arguments;
  study::StudyFile file;
  study::Plan plan;
  std::vector<Estimate> estimates;  ///< of plan.runs
};

/// Error{config} with the study file's line where an override is wrong.
StudySetup set_up_study(const StudyArguments& arguments, const Program& program);

/// The effective recipe of a run, $data still in it or replaced.
enum class DataMark { kept, replaced };
PretrainRecipe pretrain_recipe(const StudySetup& setup, const study::PlannedRun& run, DataMark mark,
                               const Program& program);
FinetuneRecipe finetune_recipe(const StudySetup& setup, const study::PlannedRun& run, DataMark mark,
                               const Program& program);

}  // namespace tenfold::app

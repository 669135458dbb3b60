// Which runs a study is made of: variants, what each run is given, and the hash it is known by.
// Not here: recipes (the program reads them), run folders, or the order under a budget.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/writer.h"
#include "study/study_file.h"

namespace tenfold::study {

/// One row of the result: the baseline, or what differs from it.
struct Variant {
  std::string label;
  std::vector<std::string> set = {};   ///< with stages in front, as in the file
  std::vector<std::string> also = {};  ///< labels of values that come to the very same runs
  std::string shown() const;           ///< "baseline (masking: 15 %)"
};

/// The baseline first, then the values of each axis alone or all combinations of them.
std::vector<Variant> variants_of(const StudyFile& file);

enum class Command : uint8_t { pretrain, finetune };
std::string name_of(Command command);

struct PlannedRun {
  Command command = Command::pretrain;
  std::string name;  ///< folder: readable, then the beginning of the hash
  std::string hash;  ///< of the effective configuration, the start and what is measured
  std::filesystem::path recipe;
  std::vector<std::string> overrides;
  std::optional<size_t> parent;  ///< the pre-training it starts from; none: StudyFile::model
  bool fresh = false;  ///< takes the parent's shape and vocabulary alone: weights start anew
  size_t variant = 0;  ///< the first that needs it
  size_t task = 0;     ///< of a fine-tuning
  int64_t seed = 0;    ///< 0: a pre-training that all seeds share
};

/// Where a figure of the result comes from. Studies without tasks have one column, task 0.
struct Cell {
  size_t variant = 0, task = 0;
  int64_t seed = 0;
  size_t run = 0;
};

/// Runs stand in the order they are to be made: seed by seed, so that a budget that ends early
/// leaves whole comparisons; what a run starts from stands before it.
struct Plan {
  std::vector<Variant> variants;
  std::vector<PlannedRun> runs;
  std::vector<Cell> cells;
};

/// The effective configuration of a recipe with overrides. Error{config}.
using ReadConfig = std::function<std::vector<config::FlatField>(
    Command, const std::filesystem::path& recipe, const std::vector<std::string>& overrides)>;

/// Equal runs are one run, and variants whose runs are all equal are one variant. Error{config}
/// where an override names no stage, and whatever `read` throws.
Plan make_plan(const StudyFile& file, const ReadConfig& read);

/// Lower-case letters, digits and single hyphens of a label, at most `longest` of them.
std::string slug(std::string_view label, size_t longest = 48);

}  // namespace tenfold::study

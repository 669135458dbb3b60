// What pretrain and finetune share: options of the command line, and a run from its parts to its
// exit code. Not here: models and data of either.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "config/reader.h"
#include "config/schema.h"
#include "config/writer.h"
#include "data/collator.h"
#include "data/example_source.h"
#include "model/checkpoint.h"
#include "model/objective.h"
#include "recipe.h"
#include "run_log.h"
#include "tenfold/tokenizer.h"
#include "train/trainer.h"

namespace tenfold::app {

struct RunArguments {
  std::filesystem::path config, out;
  std::vector<std::string> overrides;
  bool resume = false, dry_run = false, dump_config = false;
};

/// --config, --set, --out, --resume, --dry-run, --dump-config.
void add_run_arguments(CLI::App& command, RunArguments& arguments);

/// The recipe with its overrides; --device and --dtype count as the last ones.
template <typename Recipe>
Recipe load_recipe(RunArguments arguments, const Program& program) {
  if (!program.device.empty()) {
    arguments.overrides.push_back("train.device=\"" + program.device + "\"");
  }
  if (!program.dtype.empty()) {
    arguments.overrides.push_back("train.dtype=\"" + program.dtype + "\"");
  }
  return config::load<Recipe>(arguments.config, arguments.overrides, recipe_choices());
}

/// Error{usage} where neither --out nor --dry-run is given.
void require_out(const RunArguments& arguments, const std::string& task);

/// Device of the weights (fp32, whatever train.dtype says) and the threads: what [train] and the
/// command line say. Call before the model is made.
torch::TensorOptions prepare_arithmetic(const train::TrainOptions& options, const Program& program);

/// The parts of a training run, made by its command. References must outlive run_training_command.
struct TrainingParts {
  std::string task;  ///< "pretrain", "finetune"
  const train::TrainOptions& options;
  model::LoadedModel& model;
  model::Objective& objective;
  const Tokenizer& tokenizer;
  std::shared_ptr<const data::ExampleSource> examples;
  std::shared_ptr<const data::Collator> collator;
  int64_t window = 0;  ///< rows sorted by length together
  std::function<train::Metrics()> validate = {};
  std::function<void(const std::filesystem::path& folder)> write_beside = {};  ///< more files of a
                                                                               ///< checkpoint
  std::string effective_config = {};                 ///< TOML, for RUN/config.toml
  std::vector<config::FlatField> flat_config = {};   ///< the same, for refusing another on --resume
  std::vector<std::string> main_metrics = {"loss"};  ///< the first that validation gives decides
};

/// Runs the training with RUN/config.toml and RUN/log.txt beside it, prints one line of the outcome
/// to stdout and returns the exit code (130 or 143 after a signal).
int run_training_command(const TrainingParts& parts, const RunArguments& arguments, RunLog& log,
                         Program& program);

}  // namespace tenfold::app

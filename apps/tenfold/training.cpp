// Shared parts of the training commands.
// Not here: the loop (train/trainer.h).
#include "training.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "support/fail.h"
#include "support/files.h"
#include "support/signals.h"
#include "support/strings.h"

namespace tenfold::app {

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("--config", arguments.config, "recipe (TOML)");
  command
      .add_option("--set", arguments.overrides,
                  "override one key: path.to.key=value; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command.add_option("--out", arguments.out,
                     "run folder: checkpoints, metrics.jsonl, TensorBoard events");
  command.add_flag("--resume", arguments.resume,
                   "go on from the newest whole checkpoint, if there is one");
  command.add_flag("--dry-run", arguments.dry_run, "check everything, run one step, write nothing");
  command.add_flag("--dump-config", arguments.dump_config, "print the effective recipe and stop");
}

std::optional<train::DrawnBatch> SourceStream::next() {
  auto prepared = source_->next();
  if (!prepared) return std::nullopt;
  return train::DrawnBatch{std::move(prepared->batch), prepared->epoch};
}

data::BatchOptions batch_options(const train::TrainOptions& options, int64_t window) {
  data::BatchOptions batches;
  batches.batch_tokens = options.batch_tokens;
  if (options.batch_rows > 0) batches.batch_rows = options.batch_rows;
  batches.window = window;
  batches.seed = static_cast<uint64_t>(options.seed);
  batches.epochs = options.epochs;
  return batches;
}

int run_and_report(train::TrainSetup setup, const RunArguments& arguments,
                   const std::string& effective_config, Program& program) {
  StopSignal stop;
  setup.stop_signal = [&] { return stop.signal_number(); };
  setup.resume = arguments.resume;
  setup.dry_run = arguments.dry_run;
  if (!arguments.dry_run) {
    setup.run = arguments.out;
    tenfold::create_directories(arguments.out);
    // A folder in use keeps its own: the trainer refuses another configuration.
    const auto config = arguments.out / "config.toml";
    if (!std::filesystem::exists(config)) write_file_atomically(config, effective_config);
  }
  const train::TrainOutcome outcome = train::run_training(std::move(setup));
  program.terminal.finish();
  nlohmann::ordered_json line{{"step", outcome.step},          {"epoch", outcome.epoch},
                              {"tokens", outcome.tokens},      {"seconds", outcome.seconds},
                              {"loss", outcome.last_loss},     {"skipped", outcome.skipped},
                              {"best_step", outcome.best_step}};
  for (const auto& [name, value] : outcome.best_validation) line["best"][name] = value;
  fmt::print("{}\n", line.dump());
  return outcome.ended == train::Ended::signal ? 128 + outcome.signal : 0;
}

}  // namespace tenfold::app

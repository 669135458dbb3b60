// The parts that pretrain and finetune share: options of the command line, the batch stream, the
// outcome's exit code. Not here: models and data of either.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "config/schema.h"
#include "data/batch_source.h"
#include "recipe.h"
#include "train/batch_stream.h"
#include "train/trainer.h"

namespace tenfold::app {

struct RunArguments {
  std::filesystem::path config, out;
  std::vector<std::string> overrides;
  bool resume = false, dry_run = false, dump_config = false;
};

/// --config, --set, --out, --resume, --dry-run, --dump-config.
void add_run_arguments(CLI::App& command, RunArguments& arguments);

/// The data layer's source as the trainer wants it, on the device of the run.
class SourceStream final : public train::BatchStream {
 public:
  explicit SourceStream(std::unique_ptr<data::BatchSource> source) : source_(std::move(source)) {}
  std::optional<train::DrawnBatch> next() override;
  std::string position() const override { return source_->position(); }
  void seek(const std::string& position) override { source_->seek(position); }
  std::optional<int64_t> batches_per_epoch() const override { return source_->batches_per_epoch(); }

 private:
  std::unique_ptr<data::BatchSource> source_;
};

data::BatchOptions batch_options(const train::TrainOptions& options, int64_t window);

/// Runs the training, writes RUN/config.toml, prints one line of the outcome to stdout and returns
/// the exit code (130 or 143 after a signal).
int run_and_report(train::TrainSetup setup, const RunArguments& arguments,
                   const std::string& effective_config, Program& program);

}  // namespace tenfold::app

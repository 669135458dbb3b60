// From the parts of a run to its outcome.
// Not here: the loop (train/trainer.h).
#include "training.h"

#include <fmt/format.h>

#include "attention_metrics.h"
#include "core_sharing.h"
#include "data/batch_source.h"
#include "eval/metric_table.h"
#include "json_text.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/signals.h"
#include "tensor/device.h"
#include "tensor/threads.h"
#include "train/batch_stream.h"

namespace tenfold::app {
namespace {

/// What the batches of this life of a run were like.
struct Drawn {
  double tokens = 0;
  double attended = 0;  ///< over all tokens, the length of the row each stands in
  double items = 0;     ///< denominators of the loss: predicted tokens, or rows

  void add(const data::Batch& batch) {
    for (const auto& [name, block] : batch.inputs) {
      for (const int64_t length : block.layout.lengths()) {
        tokens += static_cast<double>(length);
        attended += static_cast<double>(length) * static_cast<double>(length);
      }
    }
    for (const auto& [name, count] : batch.denominators) items += count;
  }
};

/// The data layer's source as the trainer wants it.
class SourceStream final : public train::BatchStream {
 public:
  explicit SourceStream(std::unique_ptr<data::BatchSource> source) : source_(std::move(source)) {}
  std::optional<train::DrawnBatch> next() override {
    auto prepared = source_->next();
    if (!prepared) return std::nullopt;
    drawn_.add(prepared->batch);
    return train::DrawnBatch{std::move(prepared->batch), prepared->epoch};
  }
  std::string position() const override { return source_->position(); }
  void seek(const std::string& position) override { source_->seek(position); }
  std::optional<int64_t> batches_per_epoch() const override { return source_->batches_per_epoch(); }
  const Drawn& drawn() const { return drawn_; }

 private:
  std::unique_ptr<data::BatchSource> source_;
  Drawn drawn_;
};

data::BatchOptions batch_options(const train::TrainOptions& options, int64_t window) {
  data::BatchOptions batches;
  batches.batch_tokens = options.batch_tokens;
  if (options.batch_rows > 0) batches.batch_rows = options.batch_rows;
  batches.window = window;
  batches.seed = static_cast<uint64_t>(options.seed);
  batches.epochs = options.epochs;
  return batches;
}

/// What belongs to the program in a run folder that the trainer found fit. A folder in use keeps
/// its own recipe: the trainer refuses another one.
void enter_folder(const std::filesystem::path& run, const std::string& config, RunLog& log) {
  const auto path = run / "config.toml";
  if (!std::filesystem::exists(path)) write_file_atomically(path, config);
  log.open(run);
}

std::string outcome_line(const train::TrainOutcome& outcome, const Drawn& drawn) {
  nlohmann::ordered_json line{{"step", outcome.step},          {"epoch", outcome.epoch},
                              {"tokens", outcome.tokens},      {"seconds", outcome.seconds},
                              {"loss", outcome.last_loss},     {"skipped", outcome.skipped},
                              {"best_step", outcome.best_step}};
  for (const auto& [name, value] : outcome.best_validation) line["best"][name] = value;
  if (drawn.tokens > 0) {
    line["row_length"] = drawn.attended / drawn.tokens;
    line["items_per_token"] = drawn.items / drawn.tokens;
  }
  return json_text(line);
}

}  // namespace

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("--config", arguments.config, "recipe (TOML)");
  may_be_repeated(command.add_option("--set", arguments.overrides,
                                     "override one key: path.to.key=value; may be repeated"));
  command.add_option("--out", arguments.out,
                     "run folder: checkpoints, metrics.jsonl, log.txt, TensorBoard events");
  command.add_flag("--resume", arguments.resume,
                   "go on from the newest whole checkpoint, if there is one");
  command.add_flag("--dry-run", arguments.dry_run, "check everything, run one step, write nothing");
  command.add_flag("--dump-config", arguments.dump_config, "print the effective recipe and stop");
}

void require_out(const RunArguments& arguments, const std::string& task) {
  require(!arguments.out.empty() || arguments.dry_run, ErrorKind::usage, task,
          "--out RUN is needed");
}

torch::TensorOptions prepare_arithmetic(const train::TrainOptions& options,
                                        const Program& program) {
  if (program.threads == 0 && options.threads > 0) set_threads(static_cast<int>(options.threads));
  return torch::TensorOptions().dtype(torch::kFloat).device(parse_device(options.device));
}

int run_training_command(const TrainingParts& parts, const RunArguments& arguments, RunLog& log,
                         Program& program) {
  train::EncoderTrainee trainee(parts.model.encoder, parts.objective,
                                parts.model.encoder_module().prefix);
  for (const model::OwnedModule& owned : trainee.modules()) {
    nn::compute_in(*owned.module, parse_dtype(parts.options.dtype));
    if (parts.options.gradient_checkpointing) nn::recompute_in_backward(*owned.module);
  }
  SourceStream stream(std::make_unique<data::BatchSource>(
      parts.examples, parts.collator, batch_options(parts.options, parts.window)));
  StopSignal stop;
  CoreSharing sharing(parts.options.share_cores, program.terminal);
  const train::TrainOutcome outcome = train::run_training(
      {.trainee = trainee,
       .batches = stream,
       .options = parts.options,
       .run = arguments.dry_run ? std::filesystem::path() : arguments.out,
       .write_model =
           [&](const std::filesystem::path& folder) {
             model::write_model(folder, parts.model.description, trainee.modules());
             parts.tokenizer.save(folder);
             if (parts.write_beside) parts.write_beside(folder);
           },
       .read_model =
           [&](const std::filesystem::path& folder) {
             model::read_weights(folder, trainee.modules());
           },
       .opened = [&] { enter_folder(arguments.out, parts.effective_config, log); },
       .validate = parts.validate && parts.options.attention_metrics
                       ? with_attention_metrics(parts.validate, trainee.modules())
                       : parts.validate,
       .main_metrics = parts.main_metrics,
       .lower_is_better = eval::lower_is_better,
       .config = parts.flat_config,
       .stop_signal = [&] { return stop.signal_number(); },
       .hooks = {&sharing},
       .device = parse_device(parts.options.device),
       .resume = arguments.resume,
       .dry_run = arguments.dry_run,
       .task = parts.task,
       .log = program.terminal,
       .progress = program.terminal});
  program.terminal.finish();
  const bool stopped = outcome.ended == train::Ended::signal;
  if (stopped) {
    program.terminal.info("signal {}: saved at step {}; --resume goes on", outcome.signal,
                          outcome.step);
  }
  const std::string line = outcome_line(outcome, stream.drawn());
  log.add(line);
  fmt::print("{}\n", line);
  return stopped ? 128 + outcome.signal : 0;
}

}  // namespace tenfold::app

// The training loop: windows of batches, updates, validation, checkpoints and resuming.
// Not here: gradients of a window (accumulate.h), checkpoint folders (checkpoint_store.h), or the
// model's files.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/writer.h"
#include "support/log.h"
#include "support/progress.h"
#include "train/batch_stream.h"
#include "train/hook.h"
#include "train/options.h"
#include "train/trainee.h"

namespace tenfold::train {

/// What a run is made of. References must outlive the call.
struct TrainSetup {
  Trainee& trainee;
  BatchStream& batches;
  TrainOptions options;

  /// RUN; empty: nothing is written.
  std::filesystem::path run;
  /// Writes the model's files into a checkpoint folder, and reads them back into the trainee's
  /// modules. All modules of the trainee must come back bit by bit.
  std::function<void(const std::filesystem::path& folder)> write_model;
  std::function<void(const std::filesystem::path& folder)> read_model;
  /// Called once RUN is locked and found fit, before the first update: what writes beside the
  /// trainer leaves the folder of a refused run untouched. May be empty.
  std::function<void()> opened = {};
  /// Metrics on held-out data, under no_grad; empty: no validation.
  std::function<Metrics()> validate;
  /// What decides which checkpoint is best where train.best names nothing: the first of these that
  /// validation gives. A value that is not a number is worse than any other.
  std::vector<std::string> main_metrics = {"loss"};
  /// Whether smaller values of a metric are better.
  std::function<bool(std::string_view)> lower_is_better = [](std::string_view metric) {
    return metric == "loss";
  };
  /// The effective configuration: a resumed run with another one is refused.
  std::vector<config::FlatField> config;
  /// 0, or the signal that asks to save and end (StopSignal::signal_number); asked once an update.
  std::function<int()> stop_signal;
  std::vector<Hook*> hooks;
  torch::Device device = torch::kCPU;
  bool resume = false;   ///< go on from RUN's newest whole checkpoint, or start where there is none
  bool dry_run = false;  ///< one update, then the end; nothing is written
  std::string task = "train";  ///< name in progress reports
  Log& log = silent_log();
  ProgressSink& progress = no_progress();
};

enum class Ended : uint8_t { steps, epochs, seconds, patience, hook, signal, dry_run };

struct TrainOutcome {
  Ended ended = Ended::steps;
  int signal = 0;  ///< of Ended::signal: the program exits with 128 + signal
  int64_t step = 0;
  int64_t epoch = 0;
  int64_t tokens = 0;
  int64_t skipped = 0;
  double seconds = 0;  ///< of training, over all parts of the run
  double last_loss = 0;
  Metrics last_validation;
  Metrics best_validation;
  int64_t best_step = 0;  ///< 0: none
};

/// Trains until a limit, a hook or a signal ends it, and saves. A loss or gradient that is not
/// finite is never applied: the update is skipped and counted, and three in a row are Error{run}
/// with a dump RUN/not-finite-<step>.json. Error{config} naming the key where a resumed run has
/// another configuration; Error{usage} where RUN holds checkpoints and `resume` was not asked for.
TrainOutcome run_training(TrainSetup setup);

}  // namespace tenfold::train

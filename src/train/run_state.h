// What a checkpoint knows of the run besides the model: trainer_state.json and files of tensors.
// Not here: the model's files, or when a checkpoint is written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/writer.h"
#include "train/hook.h"
#include "train/optimizer.h"

namespace tenfold::train {

/// Sums over the updates since the last line of the log.
struct LogWindow {
  int64_t updates = 0;  ///< applied ones only
  int64_t tokens = 0;
  double seconds = 0;
  double loss = 0;
  double gradient_norm = 0;
  Metrics parts;
  Metrics counts;

  void add(const StepReport& report);
  /// Means (counts: sums) with step, epoch and rate of the last update.
  StepReport mean(const StepReport& last) const;
};

/// The numbers that a resumed run goes on with.
struct RunState {
  int64_t step = 0;
  int64_t epoch = 0;
  int64_t tokens = 0;
  int64_t skipped = 0;
  int64_t skipped_in_row = 0;
  double seconds = 0;
  std::string position;  ///< of the batch stream
  LogWindow window;
  int64_t best_step = 0;  ///< 0: none yet
  Metrics best_validation;
  int64_t validated_step = 0;  ///< of last_validation; 0: none yet
  Metrics last_validation;
  int64_t stale_validations = 0;
  std::map<std::string, std::string> hooks;
  int64_t seed = 0;
  std::vector<config::FlatField> config;
};

/// trainer_state.json in `folder`. Error{run}.
void write_run_state(const std::filesystem::path& folder, const RunState& state);

/// Error{checkpoint} where the file is missing or not what write_run_state wrote.
RunState read_run_state(const std::filesystem::path& folder);

/// Tensors beside a checkpoint's model: the optimizer's, and what averages of the weights need.
inline constexpr const char* kOptimizerFile = "training_state.safetensors";
inline constexpr const char* kAverageFile = "average_state.safetensors";

/// `file` in `folder`. Error{run}, Error{checkpoint}.
void write_state_tensors(const std::filesystem::path& folder, const char* file,
                         const TensorsByName& state);
TensorsByName read_state_tensors(const std::filesystem::path& folder, const char* file);

/// Error{config} naming the first key whose value differs, keys that cannot change the result left
/// aside (what is kept and shown, and when the run is cut short).
void refuse_changed_config(const std::vector<config::FlatField>& before,
                           const std::vector<config::FlatField>& now);

}  // namespace tenfold::train

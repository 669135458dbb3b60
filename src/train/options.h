// The [train] section of a recipe: how long, in which portions, what is logged and kept.
// Not here: the model, the data and the objective, whose sections stand beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::train {

/// automatic: as the metric is meant.
enum class Better : uint8_t { automatic, lower, higher };

/// The metric that decides which checkpoint is best, and how long a run waits for a better one.
struct KeepBest {
  bool enabled = true;  ///< without validation it has no effect
  std::string metric;   ///< empty: the main one of the task, or the loss (TrainSetup::main_metrics)
  Better better = Better::automatic;
  int64_t patience = 0;  ///< validations without improvement before the run ends; 0: never

  void fields(config::FieldVisitor& v);
};

/// How far a parameter counts as lying from the head (layer_decay.h).
enum class Depths : uint8_t { even, electra };

/// Layer-wise learning-rate decay.
struct LayerDecay {
  double factor = 1;  ///< a layer; 1: none
  Depths depths = Depths::even;

  void fields(config::FieldVisitor& v);
};

/// Running averages of the weights (weight_average.h).
struct AverageOptions {
  double decay = 0;  ///< 0: none are kept
  int64_t start = 0;
  bool warmup = false;
  bool model = true;

  void fields(config::FieldVisitor& v);
};

struct TrainOptions {
  int64_t steps = 1000;    ///< updates; 0: no limit
  int64_t epochs = 0;      ///< times through the data; 0: no limit
  double max_seconds = 0;  ///< of training; 0: no limit
  int64_t batch_tokens = 4096;
  int64_t batch_rows = 0;
  int64_t accumulate = 1;
  int64_t seed = 1;
  double clip_norm = 1.0;
  int64_t log_every = 10;
  int64_t validate_every = 0;
  int64_t save_every = 1000;
  int64_t keep_last = 2;
  KeepBest best;
  std::vector<std::string> freeze;  ///< patterns of parameter names (freeze.h)
  LayerDecay layer_decay;
  AverageOptions ema;
  std::string device = "cpu";
  std::string dtype = "float32";  ///< of products, attention and what the backward pass keeps
  bool gradient_checkpointing = false;
  int64_t threads = 0;
  bool share_cores = false;
  bool tensorboard = true;
  bool attention_metrics = false;  ///< validations tell how layers attend (training.h)
  config::Choice optimizer;
  config::Choice schedule;

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// The slots that [train] names ("optimizer", "schedule"), for reading a recipe.
config::ChoiceTables train_choices();

}  // namespace tenfold::train

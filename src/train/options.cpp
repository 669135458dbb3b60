// Fields and rules of the [train] section.
// Not here: defaults of optimizers and schedules (with their kinds).
#include "train/options.h"

#include "support/fail.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace tenfold::train {

void KeepBest::fields(config::FieldVisitor& v) {
  v.field("enabled", enabled, "keep the checkpoint of the best validation as RUN/best");
  v.field("metric", metric,
          "validation metric that decides; empty: the task's main metric, or the loss");
  v.field("better", better, "which values of it are better; auto: as the metric is meant",
          {{"auto", Better::automatic}, {"lower", Better::lower}, {"higher", Better::higher}});
  v.field("patience", patience, "validations without improvement before the run ends; 0: never",
          config::at_least(0));
}

void LayerDecay::fields(config::FieldVisitor& v) {
  v.field("factor", factor, "learning rate of a layer, relative to the one above it; 1: the same",
          {.low = 0, .high = 1, .low_open = true});
  v.field("depths", depths,
          "even: head 1, top layer factor; electra: as its release, top layer factor^2",
          {{"even", Depths::even}, {"electra", Depths::electra}});
}

void AverageOptions::fields(config::FieldVisitor& v) {
  v.field("decay", decay, "share of the old average an update keeps; 0: no averages",
          config::fraction_below_one());
  v.field("start", start, "updates before the averages begin", config::at_least(0));
  v.field("warmup", warmup, "keep at most (1 + n) / (10 + n) at their n-th update");
  v.field("model", model,
          "validate the averages and write them as the model of all checkpoints, RUN/best too");
}

void TrainOptions::fields(config::FieldVisitor& v) {
  v.field("steps", steps, "updates in all; 0: no limit", config::at_least(0));
  v.field("epochs", epochs, "times through the data; 0: no limit", config::at_least(0));
  v.field("max_seconds", max_seconds, "seconds of training; 0: no limit", config::at_least(0));
  v.field("batch_tokens", batch_tokens, "real tokens a batch at most", config::at_least(1));
  v.field("batch_rows", batch_rows, "rows a batch at most; 0: only the tokens count",
          config::at_least(0));
  v.field("accumulate", accumulate, "batches an update", config::at_least(1));
  v.field("seed", seed, "of all randomness of the run", config::at_least(0));
  v.field("clip_norm", clip_norm, "limit of the global gradient norm; 0: none",
          config::at_least(0));
  v.field("log_every", log_every, "updates between lines of the log", config::at_least(1));
  v.field("validate_every", validate_every, "updates between validations; 0: only at the end",
          config::at_least(0));
  v.field("save_every", save_every, "updates between checkpoints; 0: only at the end",
          config::at_least(0));
  v.field("keep_last", keep_last, "checkpoints kept besides the best", config::at_least(2));
  v.group("best", best, "which checkpoint is best");
  v.field(
      "freeze", freeze,
      "patterns of parameters to leave as they are: \"embeddings.*\", \"encoder.layer.[0-3].*\"");
  v.group("layer_decay", layer_decay, "lower learning rates for deeper layers");
  v.group("ema", ema, "averages of the weights over the run; one more copy of them in memory");
  v.field("device", device, "cpu or cuda[:n]");
  v.field("dtype", dtype,
          "of products and attention; weights, statistics and the optimizer stay in float32",
          {"float32", "bfloat16"});
  v.field("gradient_checkpointing", gradient_checkpointing,
          "compute each layer again in the backward pass: less memory, one more forward pass");
  v.field("threads", threads, "threads of the arithmetic; 0: the usable cores",
          config::at_least(0));
  v.field(
      "share_cores", share_cores,
      "use fewer threads while other processes hold cores; the last digits then depend on them");
  v.field("tensorboard", tensorboard, "write TensorBoard event files");
  v.field("attention_metrics", attention_metrics,
          "validations tell each layer's attention entropy, sparsity and growth of scores");
  v.choice("optimizer", optimizer, "how weights move", v.kinds("optimizer"));
  v.choice("schedule", schedule, "learning rate over the run", v.kinds("schedule"));
}

void TrainOptions::validate(const std::string& where) const {
  require(steps > 0 || epochs > 0 || max_seconds > 0, ErrorKind::config, where,
          "one of steps, epochs and max_seconds must be above 0: the run would not end");
}

config::ChoiceTables train_choices() {
  return {{"optimizer", optimizer_table().choices()}, {"schedule", schedule_choices()}};
}

}  // namespace tenfold::train

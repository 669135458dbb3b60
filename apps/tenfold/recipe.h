// What a recipe holds: the sections of pretrain's and finetune's TOML files.
// Not here: running them (command_pretrain.cpp, command_finetune.cpp).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/fields.h"
#include "data/class_weights.h"
#include "data/example_source.h"
#include "data/mlm_collator.h"
#include "data/task.h"
#include "model/config.h"
#include "train/options.h"

namespace tenfold::app {

/// [data] of a pre-training recipe.
struct ShardSection {
  std::filesystem::path shards;
  data::RowOptions rows;
  int64_t window = 2048;
  int64_t validation_rows = 1000;
  bool verify = false;
  void fields(config::FieldVisitor& v);
};

struct PretrainRecipe {
  model::EncoderConfig model;
  ShardSection data;
  config::Choice objective = config::Choice::of("mlm", data::MlmOptions{});
  train::TrainOptions train;
  PretrainRecipe() { model.vocab_size = 0; }
  void fields(config::FieldVisitor& v);
};

/// [data] of a fine-tuning recipe.
struct TaskSection {
  std::filesystem::path train, dev;
  data::TaskColumns columns;
  int64_t train_examples = 0;
  int64_t max_length = 128;
  int64_t window = 2048;
  void fields(config::FieldVisitor& v);
};

struct FinetuneRecipe {
  config::Choice task;
  TaskSection data;
  data::ClassLossOptions loss;
  bool from_scratch =
      false;  ///< the model's shape and vocabulary, fresh weights: what was pre-training worth?
  train::TrainOptions train;
  FinetuneRecipe();
  void fields(config::FieldVisitor& v);
};

/// The legal kinds of every slot a recipe names.
config::ChoiceTables recipe_choices();

}  // namespace tenfold::app

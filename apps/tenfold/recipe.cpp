// Fields of the recipes.
// Not here: defaults of the parts (their own headers).
#include "recipe.h"

#include "model/registry.h"
#include "nn/attention_table.h"
#include "task_table.h"

namespace tenfold::app {

void ShardSection::fields(config::FieldVisitor& v) {
  v.field("shards", shards, "folder made by 'tenfold prepare'");
  rows.fields(v);
  v.field("window", window, "rows sorted by length together", config::at_least(1));
  v.field("validation_rows", validation_rows, "held-out rows a validation looks at",
          config::at_least(1));
  v.field("verify", verify, "check the shards' checksums first");
}

void PretrainRecipe::fields(config::FieldVisitor& v) {
  v.group("model", model, "shape of the encoder");
  v.group("data", data, "where rows come from");
  v.choice("objective", objective, "what is learnt", v.kinds("objective"));
  v.group("train", train, "how the weights move");
}

void TaskSection::fields(config::FieldVisitor& v) {
  v.field("train", train, "labelled rows in the files of the task's kind, also .gz and .zst");
  v.field("dev", dev, "rows for validation; empty: none");
  v.group("columns", columns, "where a row's parts stand");
  v.field("train_examples", train_examples,
          "at most so many examples to train on, the same ones for every seed; 0: all",
          config::at_least(0));
  v.field("max_length", max_length, "tokens of a sequence; longer texts are cut or become windows",
          config::at_least(3));
  v.field("window", window, "rows sorted by length together", config::at_least(1));
}

FinetuneRecipe::FinetuneRecipe()
    : task(config::Choice::of("classification", config::NoOptions{})) {}

void FinetuneRecipe::fields(config::FieldVisitor& v) {
  v.choice("task", task, "what rows are and what is learnt from them", v.kinds("task"));
  v.group("data", data, "where its rows come from");
  v.group("loss", loss, "how classes count in training; validation counts all rows alike");
  v.field("from_scratch", from_scratch,
          "keep the model's shape and vocabulary but not its weights");
  v.group("train", train, "how the weights move");
}

config::ChoiceTables recipe_choices() {
  config::ChoiceTables tables = train::train_choices();
  tables["attention"] = nn::attention_table().choices();
  tables["mask_sampler"] = data::mask_sampler_table().choices();
  tables["task"] = task_choices();
  tables["objective"] = model::objective_table().choices();
  return tables;
}

}  // namespace tenfold::app

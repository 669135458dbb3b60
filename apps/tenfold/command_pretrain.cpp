// `tenfold pretrain`: an encoder and an objective of the recipe's choice on prepared shards.
// Not here: the loop (train) or the recipe's sections (recipe.h).
#include "command.h"
#include "data/shards.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "model/registry.h"
#include "support/fail.h"
#include "training.h"

namespace tenfold::app {
namespace {

/// Examples of the held-out part, at most `most`.
std::vector<data::Example> held_out_examples(const data::ShardSet& shards,
                                             const Tokenizer& tokenizer,
                                             const ShardSection& section) {
  const data::ShardRows rows(shards, tokenizer, section.rows, data::Part::held_out);
  std::vector<data::Example> examples;
  for (int64_t i = 0; i < std::min(rows.size(), section.validation_rows); ++i)
    examples.push_back(rows.get(i));
  return examples;
}

model::ModelDescription describe_model(PretrainRecipe& recipe, const Tokenizer& tokenizer) {
  model::EncoderConfig& encoder = recipe.model;
  if (encoder.vocab_size == 0) encoder.vocab_size = tokenizer.size();
  require(encoder.vocab_size == tokenizer.size(), ErrorKind::config, "model",
          "vocab_size is {}, the vocabulary of the shards has {} tokens", encoder.vocab_size,
          tokenizer.size());
  require(recipe.data.rows.max_length <= encoder.longest_sequence(), ErrorKind::config, "data",
          "max_length is {}, the model has {} positions", recipe.data.rows.max_length,
          encoder.longest_sequence());
  encoder.pad_token_id = std::max<int64_t>(0, tokenizer.pad_id());
  model::ModelDescription description;
  description.encoder = encoder;
  return description;
}

/// Loss and perplexity; for every count "NAME_correct" beside a loss part NAME the share of it,
/// as "accuracy" where there is one part.
train::Metrics metrics_of(const eval::ObjectiveScores& scores) {
  train::Metrics metrics{{"loss", scores.loss}, {"perplexity", eval::perplexity(scores.loss)}};
  for (const auto& [part, mean] : scores.means) {
    const std::string count = part + "_correct";
    if (!scores.counts.contains(count)) continue;
    const std::string name = scores.means.size() == 1 ? "accuracy" : part + "_accuracy";
    metrics[name] = scores.share(count, part);
  }
  return metrics;
}

int pretrain(const RunArguments& arguments, RunLog& log, Program& program) {
  auto recipe = load_recipe<PretrainRecipe>(arguments, program);
  if (arguments.dump_config) {
    fmt::print("{}", config::write_toml(recipe));
    return 0;
  }
  require_out(arguments, "pretrain");
  require(!recipe.data.shards.empty(), ErrorKind::config, "data",
          "shards is not set: --set data.shards=FOLDER");
  const auto shards = data::ShardSet::open(
      recipe.data.shards, recipe.data.verify ? data::Verify::checksums : data::Verify::sizes);
  const Tokenizer tokenizer = Tokenizer::load(recipe.data.shards / "tokenizer");
  const model::ModelDescription description = describe_model(recipe, tokenizer);
  const torch::TensorOptions tensors = prepare_arithmetic(recipe.train, program);
  const model::ObjectiveKind& kind = model::objective_table().find(recipe.objective.kind);
  description.encoder.stack().validate("model", kind.masks);
  auto model = model::make_model(
      description,
      {.head = kind.head, .seed = static_cast<uint64_t>(recipe.train.seed), .tensors = tensors});
  const auto objective = kind.make_objective(model);
  const std::shared_ptr<const data::Collator> collator =
      kind.make_collator(tokenizer, recipe.objective);
  const auto rows =
      std::make_shared<data::ShardRows>(shards, tokenizer, recipe.data.rows, data::Part::training);
  std::vector<data::Example> held_out;
  if (recipe.train.validate_every > 0) held_out = held_out_examples(shards, tokenizer, recipe.data);
  program.terminal.info("{} rows of {} documents, vocabulary {}, {} layers of width {}",
                        rows->size(), shards.documents(), tokenizer.size(),
                        recipe.model.num_hidden_layers, recipe.model.hidden_size);
  TrainingParts parts{.task = "pretrain",
                      .options = recipe.train,
                      .model = model,
                      .objective = *objective,
                      .tokenizer = tokenizer,
                      .examples = rows,
                      .collator = collator,
                      .window = recipe.data.window,
                      .effective_config = config::write_toml(recipe),
                      .flat_config = config::flatten(recipe)};
  if (!held_out.empty()) {
    parts.validate = [&] {
      return metrics_of(eval::evaluate_objective(*model.encoder, *objective, *collator, held_out,
                                                 {.seed = 0, .device = tensors.device()}));
    };
  }
  return run_training_command(parts, arguments, log, program);
}

}  // namespace

void add_pretrain(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App* command = app.add_subcommand("pretrain", "train an encoder from prepared text");
  add_run_arguments(*command, *arguments);
  command->footer([] {
    return "Example:\n  tenfold pretrain --config recipes/demo-pretrain.toml --set "
           "data.shards=shards --out runs/mlm\n\n"
           "Recipe keys:\n" +
           config::help_text(config::describe<PretrainRecipe>(recipe_choices()));
  });
  command->callback([=, &program] {
    program.action = [=, &program] {
      return with_run_log(program.terminal,
                          [&](RunLog& log) { return pretrain(*arguments, log, program); });
    };
  });
}

}  // namespace tenfold::app

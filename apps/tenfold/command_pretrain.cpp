// `tenfold pretrain`: masked language modelling on prepared shards.
// Not here: the loop (train) or the recipe's sections (recipe.h).
#include "command.h"
#include "config/reader.h"
#include "config/writer.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "model/checkpoint.h"
#include "model/mlm_objective.h"
#include "support/fail.h"
#include "tensor/device.h"
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
  require(recipe.data.rows.max_length <= encoder.max_position_embeddings, ErrorKind::config, "data",
          "max_length is {}, the model has {} positions", recipe.data.rows.max_length,
          encoder.max_position_embeddings);
  encoder.pad_token_id = std::max<int64_t>(0, tokenizer.pad_id());
  model::ModelDescription description;
  description.encoder = encoder;
  description.architecture = "BertForMaskedLM";
  return description;
}

int pretrain(const RunArguments& arguments, Program& program) {
  auto recipe =
      config::load<PretrainRecipe>(arguments.config, arguments.overrides, recipe_choices());
  if (arguments.dump_config) {
    fmt::print("{}", config::write_toml(recipe));
    return 0;
  }
  require(!arguments.out.empty() || arguments.dry_run, ErrorKind::usage, "pretrain",
          "--out RUN is needed");
  require(!recipe.data.shards.empty(), ErrorKind::config, "data",
          "shards is not set: --set data.shards=FOLDER");
  const auto shards = data::ShardSet::open(
      recipe.data.shards, recipe.data.verify ? data::Verify::checksums : data::Verify::sizes);
  const Tokenizer tokenizer = Tokenizer::load(recipe.data.shards / "tokenizer");
  const model::ModelDescription description = describe_model(recipe, tokenizer);
  const torch::Device device = parse_device(recipe.train.device);
  const auto seed = static_cast<uint64_t>(recipe.train.seed);
  auto model = model::make_model(
      description,
      {.head = model::Head::mlm,
       .seed = seed,
       .tensors = torch::TensorOptions().dtype(parse_dtype(recipe.train.dtype)).device(device)});
  model::MlmObjective objective(model.mlm);
  train::EncoderTrainee trainee(model.encoder, objective);
  auto rows =
      std::make_shared<data::ShardRows>(shards, tokenizer, recipe.data.rows, data::Part::training);
  auto collator = std::make_shared<data::MlmCollator>(tokenizer, recipe.mlm);
  SourceStream stream(std::make_unique<data::BatchSource>(
      rows, collator, batch_options(recipe.train, recipe.data.window)));
  std::vector<data::Example> held_out;
  if (recipe.train.validate_every > 0) held_out = held_out_examples(shards, tokenizer, recipe.data);
  program.terminal.info("{} rows of {} documents, vocabulary {}, {} layers of width {}",
                        rows->size(), shards.documents(), tokenizer.size(),
                        recipe.model.num_hidden_layers, recipe.model.hidden_size);
  train::TrainSetup setup{.trainee = trainee,
                          .batches = stream,
                          .options = recipe.train,
                          .run = {},
                          .write_model = {},
                          .read_model = {},
                          .validate = {},
                          .config = config::flatten(recipe),
                          .stop_signal = {},
                          .hooks = {},
                          .device = device,
                          .task = "pretrain",
                          .log = program.terminal,
                          .progress = program.terminal};
  setup.write_model = [&](const std::filesystem::path& folder) {
    model::write_model(folder, description, model.modules());
    tokenizer.save(folder);
  };
  setup.read_model = [&](const std::filesystem::path& folder) {
    model::read_weights(folder, model.modules());
  };
  if (!held_out.empty()) {
    setup.validate = [&] {
      const auto scores = eval::evaluate_objective(*model.encoder, objective, *collator, held_out,
                                                   {.seed = 0, .device = device});
      return train::Metrics{{"loss", scores.loss},
                            {"perplexity", eval::perplexity(scores.loss)},
                            {"accuracy", scores.share("mlm_correct", "mlm")}};
    };
  }
  return run_and_report(std::move(setup), arguments, config::write_toml(recipe), program);
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
  command->callback(
      [=, &program] { program.action = [=, &program] { return pretrain(*arguments, program); }; });
}

}  // namespace tenfold::app

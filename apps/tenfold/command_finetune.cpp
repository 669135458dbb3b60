// `tenfold finetune`: a classifier on a pre-trained encoder.
// Not here: the loop (train) or reading tasks (data/task.h).
#include "command.h"
#include "config/reader.h"
#include "config/writer.h"
#include "data/classification_collator.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "model/checkpoint.h"
#include "model/classification_objective.h"
#include "support/fail.h"
#include "tensor/device.h"
#include "training.h"

namespace tenfold::app {
namespace {

/// The model of `directory` with a classifier for `labels`: its weights, or its shape alone.
model::LoadedModel load_for_task(const std::filesystem::path& directory,
                                 const std::vector<std::string>& labels,
                                 const FinetuneRecipe& recipe, torch::Device device) {
  const model::LoadOptions options{
      .head = model::Head::classifier,
      .missing = model::MissingHead::fresh,
      .labels = labels,
      .seed = static_cast<uint64_t>(recipe.train.seed),
      .tensors = torch::TensorOptions().dtype(parse_dtype(recipe.train.dtype)).device(device)};
  model::LoadedModel model;
  if (recipe.from_scratch) {
    model::ModelDescription description = model::read_description(directory);
    description.labels = labels;
    description.architecture = "BertForSequenceClassification";
    model = model::make_model(description, options);
  } else {
    model = model::load_model(directory, options);
  }
  model.mlm = nullptr;
  model.next_sentence = nullptr;
  model.description.architecture = "BertForSequenceClassification";
  return model;
}

std::vector<data::Example> read_examples(const std::filesystem::path& path,
                                         const FinetuneRecipe& recipe, const Tokenizer& tokenizer,
                                         std::vector<std::string>& labels, Log& log) {
  const data::TaskFile file = data::read_task(path, recipe.data.columns, data::Labels::required);
  if (file.bad_rows > 0)
    log.warn("{} bad rows skipped, the first: {}", file.bad_rows, file.first_bad);
  if (labels.empty()) labels = data::label_set(file.rows);
  return data::make_examples(file.rows, tokenizer, labels, recipe.data.max_length, path.string());
}

int finetune(const std::filesystem::path& directory, const RunArguments& arguments,
             Program& program) {
  const auto recipe =
      config::load<FinetuneRecipe>(arguments.config, arguments.overrides, recipe_choices());
  if (arguments.dump_config) {
    fmt::print("{}", config::write_toml(recipe));
    return 0;
  }
  require(!arguments.out.empty() || arguments.dry_run, ErrorKind::usage, "finetune",
          "--out RUN is needed");
  require(!recipe.data.train.empty(), ErrorKind::config, "data",
          "train is not set: --set data.train=FILE");
  const Tokenizer tokenizer = Tokenizer::load(directory);
  std::vector<std::string> labels = model::read_description(directory).labels;
  const auto examples =
      read_examples(recipe.data.train, recipe, tokenizer, labels, program.terminal);
  std::vector<data::Example> dev;
  if (!recipe.data.dev.empty())
    dev = read_examples(recipe.data.dev, recipe, tokenizer, labels, program.terminal);
  const torch::Device device = parse_device(recipe.train.device);
  model::LoadedModel model = load_for_task(directory, labels, recipe, device);
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  require(recipe.data.max_length <= model.description.encoder.max_position_embeddings,
          ErrorKind::config, "data", "max_length is {}, the model has {} positions",
          recipe.data.max_length, model.description.encoder.max_position_embeddings);
  model::ClassificationObjective objective(model.classifier, model.description.classifier_dropout);
  train::EncoderTrainee trainee(model.encoder, objective);
  auto collator = std::make_shared<data::ClassificationCollator>();
  auto source = std::make_shared<data::ExampleList>(examples);
  SourceStream stream(std::make_unique<data::BatchSource>(
      source, collator, batch_options(recipe.train, recipe.data.window)));
  program.terminal.info("{} examples, {} labels", examples.size(), labels.size());
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
                          .task = "finetune",
                          .log = program.terminal,
                          .progress = program.terminal};
  setup.write_model = [&](const std::filesystem::path& folder) {
    model::write_model(folder, model.description, model.modules());
    tokenizer.save(folder);
  };
  setup.read_model = [&](const std::filesystem::path& folder) {
    model::read_weights(folder, model.modules());
  };
  if (!dev.empty()) {
    setup.validate = [&] {
      const auto logits = [&](const data::Batch& batch) {
        return objective.logits(*model.encoder, batch, PassContext::evaluation());
      };
      const auto scores =
          eval::evaluate_classification(logits, *collator, dev, static_cast<int64_t>(labels.size()),
                                        {.seed = 0, .device = device});
      return train::Metrics{{"loss", scores.loss},
                            {"accuracy", eval::accuracy(scores.confusion)},
                            {"f1_macro", eval::f1_macro(scores.confusion)}};
    };
  }
  return run_and_report(std::move(setup), arguments, config::write_toml(recipe), program);
}

}  // namespace

void add_finetune(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<RunArguments>();
  auto directory = std::make_shared<std::filesystem::path>();
  CLI::App* command = app.add_subcommand("finetune", "train a classifier on a pre-trained encoder");
  add_run_arguments(*command, *arguments);
  command->add_option("--model", *directory, "model directory to start from")->required();
  command->footer([] {
    return "Example:\n  tenfold finetune --config recipes/demo-finetune.toml --model runs/mlm/best "
           "--set data.train=category/train.jsonl --out runs/category\n\nRecipe keys:\n" +
           config::help_text(config::describe<FinetuneRecipe>(recipe_choices()));
  });
  command->callback([=, &program] {
    program.action = [=, &program] { return finetune(*directory, *arguments, program); };
  });
}

}  // namespace tenfold::app

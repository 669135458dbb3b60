// `tenfold finetune`: a classifier on a pre-trained encoder.
// Not here: the loop (train) or reading tasks (data/task.h).
#include "command.h"
#include "data/classification_collator.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "fit.h"
#include "json_text.h"
#include "model/classification_objective.h"
#include "support/fail.h"
#include "training.h"

namespace tenfold::app {
namespace {

/// The model of `directory` with a classifier for `labels`: its weights, or its shape alone.
model::LoadedModel load_for_task(const std::filesystem::path& directory,
                                 const std::vector<std::string>& labels,
                                 const FinetuneRecipe& recipe,
                                 const torch::TensorOptions& tensors) {
  const model::LoadOptions options{.head = model::Head::classifier,
                                   .missing = model::MissingHead::fresh,
                                   .labels = labels,
                                   .seed = static_cast<uint64_t>(recipe.train.seed),
                                   .tensors = tensors};
  model::LoadedModel model;
  if (recipe.from_scratch) {
    model::ModelDescription description = model::read_description(directory);
    description.labels = labels;
    model = model::make_model(description, options);
  } else {
    model = model::load_model(directory, options);
  }
  return model;
}

/// A label becomes part of config.json, which is UTF-8.
void require_text(const std::string& label, const std::filesystem::path& path) {
  try {
    static_cast<void>(nlohmann::json(label).dump());
  } catch (const nlohmann::json::type_error&) {
    fail(ErrorKind::data, "task", "{}: the label {} is not UTF-8", path.string(), json_text(label));
  }
}

std::vector<data::Example> read_examples(const std::filesystem::path& path,
                                         const FinetuneRecipe& recipe, const Tokenizer& tokenizer,
                                         std::vector<std::string>& labels, Log& log) {
  const data::TaskFile file = data::read_task(path, recipe.data.columns, data::Labels::required);
  if (file.bad_rows > 0)
    log.warn("{} bad rows skipped, the first: {}", file.bad_rows, file.first_bad);
  if (labels.empty()) {
    labels = data::label_set(file.rows);
    for (const std::string& label : labels) require_text(label, path);
  }
  return data::make_examples(file.rows, tokenizer, labels, recipe.data.max_length, path.string());
}

std::vector<double> class_weights(const data::ClassLossOptions& loss,
                                  const std::vector<data::Example>& examples,
                                  const std::vector<std::string>& labels) {
  std::vector<int64_t> counts(labels.size());
  for (const data::Example& example : examples) ++counts[static_cast<size_t>(example.labels[0])];
  return data::class_weights_of(loss, counts, labels);
}

int finetune(const std::filesystem::path& directory, const RunArguments& arguments, RunLog& log,
             Program& program) {
  const auto recipe = load_recipe<FinetuneRecipe>(arguments, program);
  if (arguments.dump_config) {
    fmt::print("{}", config::write_toml(recipe));
    return 0;
  }
  require_out(arguments, "finetune");
  require(!recipe.data.train.empty(), ErrorKind::config, "data",
          "train is not set: --set data.train=FILE");
  const Tokenizer tokenizer = Tokenizer::load(directory);
  const model::ModelDescription description = model::read_description(directory);
  require_fit(tokenizer, description, directory);
  std::vector<std::string> labels = description.labels;
  const auto examples =
      read_examples(recipe.data.train, recipe, tokenizer, labels, program.terminal);
  std::vector<data::Example> dev;
  if (!recipe.data.dev.empty())
    dev = read_examples(recipe.data.dev, recipe, tokenizer, labels, program.terminal);
  const torch::TensorOptions tensors = prepare_arithmetic(recipe.train, program);
  model::LoadedModel model = load_for_task(directory, labels, recipe, tensors);
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  require(recipe.data.max_length <= model.description.encoder.longest_sequence(), ErrorKind::config,
          "data", "max_length is {}, the model has {} positions", recipe.data.max_length,
          model.description.encoder.longest_sequence());
  const std::vector<double> weights = class_weights(recipe.loss, examples, labels);
  model::ClassificationObjective objective(
      model.classifier,
      {.weights_C = weights.empty() ? torch::Tensor() : torch::tensor(weights, tensors),
       .label_smoothing = recipe.loss.label_smoothing});
  const auto collator = std::make_shared<data::ClassificationCollator>(weights);
  program.terminal.info("{} examples, {} labels", examples.size(), labels.size());
  TrainingParts parts{.task = "finetune",
                      .options = recipe.train,
                      .model = model,
                      .objective = objective,
                      .tokenizer = tokenizer,
                      .examples = std::make_shared<data::ExampleList>(examples),
                      .collator = collator,
                      .window = recipe.data.window,
                      .effective_config = config::write_toml(recipe),
                      .flat_config = config::flatten(recipe)};
  if (!dev.empty()) {
    parts.validate = [&] {
      const auto logits = [&](const data::Batch& batch) {
        return objective.logits(*model.encoder, batch, PassContext::evaluation());
      };
      const auto scores = eval::evaluate_classification(logits, data::ClassificationCollator(), dev,
                                                        static_cast<int64_t>(labels.size()),
                                                        {.seed = 0, .device = tensors.device()});
      return train::Metrics{{"loss", scores.loss},
                            {"accuracy", eval::accuracy(scores.confusion)},
                            {"f1_macro", eval::f1_macro(scores.confusion)}};
    };
  }
  return run_training_command(parts, arguments, log, program);
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
    program.action = [=, &program] {
      return with_run_log(program.terminal, [&](RunLog& log) {
        return finetune(*directory, *arguments, log, program);
      });
    };
  });
}

}  // namespace tenfold::app

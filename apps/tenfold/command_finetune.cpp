// `tenfold finetune`: a pre-trained encoder learns a task.
// Not here: the loop (train) or the tasks (task_table.h).
#include <algorithm>
#include <limits>
#include <numeric>

#include "command.h"
#include "fit.h"
#include "support/fail.h"
#include "support/rng.h"
#include "task_table.h"
#include "training.h"

namespace tenfold::app {
namespace {

/// The model of `directory` with the head of the task: its weights, or its shape alone.
model::LoadedModel load_for_task(const std::filesystem::path& directory,
                                 const std::vector<std::string>& labels,
                                 const FinetuneRecipe& recipe,
                                 const torch::TensorOptions& tensors) {
  const TaskKind& kind = find_task(recipe.task.kind);
  const model::LoadOptions options{.head = kind.head,
                                   .missing = model::MissingHead::fresh,
                                   .labels = labels,
                                   .problem = kind.problem,
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
  model.description.task = task_note(recipe.task);
  return model;
}

/// Labels of a head that is already there and goes on learning.
std::vector<std::string> stored_labels(const model::ModelDescription& description,
                                       const TaskKind& kind) {
  const bool same =
      description.head() == kind.head && (!kind.problem || *kind.problem == description.problem);
  return same ? description.labels : std::vector<std::string>{};
}

/// What the recipe says of classes, counted in the training rows.
TaskTraining training_of(const FinetuneRecipe& recipe, const TaskKind& kind,
                         const std::vector<data::Example>& examples,
                         const std::vector<std::string>& labels,
                         const torch::TensorOptions& tensors) {
  const data::ClassLossOptions& loss = recipe.loss;
  TaskTraining training{.task = recipe.task, .tensors = tensors};
  if (!kind.classes) {
    require(loss.label_smoothing == 0 && !loss.balanced && loss.class_weights.empty(),
            ErrorKind::config, "loss", "{} has no classes to weigh or smooth", kind.name);
    return training;
  }
  std::vector<int64_t> counts(labels.size());
  for (const data::Example& example : examples) {
    for (const double label : example.labels) {
      if (label >= 0) ++counts[static_cast<size_t>(label)];
    }
  }
  training.class_weights = data::class_weights_of(loss, counts, labels);
  training.label_smoothing = loss.label_smoothing;
  return training;
}

/// At most `most` of the examples in the order they had, drawn by no seed of the run, so that runs
/// of other seeds learn from the same ones. 0: all.
std::vector<data::Example> chosen_examples(std::vector<data::Example> examples, int64_t most) {
  const auto wanted = static_cast<size_t>(most);
  if (wanted == 0 || wanted >= examples.size()) return examples;
  std::vector<size_t> order(examples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  RandomStream(0, "train examples").shuffle(order);
  order.resize(wanted);
  std::sort(order.begin(), order.end());
  std::vector<data::Example> chosen;
  for (const size_t i : order) chosen.push_back(std::move(examples[i]));
  return chosen;
}

/// The numbers among the figures: what the trainer logs, and the best checkpoint is chosen by.
/// Undefined ones (a correlation of constants) are no numbers.
train::Metrics metrics_of(const Figures& figures) {
  train::Metrics metrics;
  for (const auto& [name, value] : figures.items()) {
    if (value.is_number_float()) metrics[name] = value.get<double>();
    if (value.is_null()) metrics[name] = std::numeric_limits<double>::quiet_NaN();
  }
  return metrics;
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
  const TaskKind& kind = find_task(recipe.task.kind);
  const Tokenizer tokenizer = Tokenizer::load(directory);
  const model::ModelDescription description = model::read_description(directory);
  require_fit(tokenizer, description, directory);
  require(recipe.data.max_length <= description.encoder.longest_sequence(), ErrorKind::config,
          "data", "max_length is {}, the model has {} positions", recipe.data.max_length,
          description.encoder.longest_sequence());
  std::vector<std::string> labels = stored_labels(description, kind);
  const auto read = [&](const std::filesystem::path& file) {
    return kind.read({.file = file,
                      .columns = recipe.data.columns,
                      .task = recipe.task,
                      .tokenizer = tokenizer,
                      .max_length = static_cast<size_t>(recipe.data.max_length),
                      .log = program.terminal},
                     labels);
  };
  auto examples =
      chosen_examples(std::move(read(recipe.data.train)->examples), recipe.data.train_examples);
  const auto dev = recipe.data.dev.empty() ? nullptr : read(recipe.data.dev);
  const torch::TensorOptions tensors = prepare_arithmetic(recipe.train, program);
  model::LoadedModel model = load_for_task(directory, labels, recipe, tensors);
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  const TaskTraining training = training_of(recipe, kind, examples, labels, tensors);
  const auto objective = kind.make_objective(model, training);
  program.terminal.info("{} examples{}", examples.size(),
                        labels.empty() ? "" : fmt::format(", {} labels", labels.size()));
  TrainingParts parts{.task = "finetune",
                      .options = recipe.train,
                      .model = model,
                      .objective = *objective,
                      .tokenizer = tokenizer,
                      .examples = std::make_shared<data::ExampleList>(std::move(examples)),
                      .collator = kind.make_collator(training),
                      .window = recipe.data.window,
                      .effective_config = config::write_toml(recipe),
                      .flat_config = config::flatten(recipe),
                      // Tags that are no entities have no f1.
                      .main_metrics = {kind.main_metric, "accuracy", "loss"}};
  if (kind.write_beside) {
    parts.write_beside = [&](const std::filesystem::path& folder) {
      kind.write_beside(folder, model.description, recipe.task, recipe.data.max_length);
    };
  }
  if (dev) {
    parts.validate = [&] {
      return metrics_of(dev->score(model, {.seed = 0, .device = tensors.device()}).figures);
    };
  }
  return run_training_command(parts, arguments, log, program);
}

}  // namespace

void add_finetune(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<RunArguments>();
  auto directory = std::make_shared<std::filesystem::path>();
  CLI::App* command = app.add_subcommand("finetune", "train a task on a pre-trained encoder");
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

// `tenfold evaluate`: a fine-tuned model on labelled rows, or a masked language model on text.
// Not here: what is measured of each task (task_*.cpp), or metrics (eval).
#include "command.h"
#include "config/reader.h"
#include "data/example_source.h"
#include "data/mlm_collator.h"
#include "data/readers.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "fit.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "model/mlm_objective.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "support/strings.h"
#include "task_table.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

constexpr const char* kTextTaskName = "mlm";

struct EvaluateArguments {
  std::filesystem::path model, data;
  std::string task;
  std::vector<std::string> overrides;
  data::TaskColumns columns;
  int64_t max_length = 0;
  int64_t batch_tokens = 4096;
  bool json = false;
  torch::Device device = torch::kCPU;
};

/// The task: as asked for, or what the model remembers; with the options given.
config::Choice chosen_task(const EvaluateArguments& arguments,
                           const model::ModelDescription& description) {
  TaskSlot settings{task_of(description)};
  const config::ChoiceTables tables{{"task", task_choices()}};
  if (!arguments.task.empty() && arguments.task != settings.task.kind) {
    settings.task = {find_task(arguments.task).name, nullptr};
    config::Document kind;
    kind.set("task.kind=\"" + arguments.task + "\"");
    kind.read(settings, tables);
  }
  config::Document overrides;
  overrides.set(arguments.overrides);
  overrides.read(settings, tables);
  return settings.task;
}

TaskScores score_rows(const EvaluateArguments& arguments, const model::LoadedModel& model,
                      const config::Choice& task, int64_t max_length, const Tokenizer& tokenizer,
                      Program& program) {
  std::vector<std::string> labels = model.description.labels;
  const auto rows = find_task(task.kind).read({.file = arguments.data,
                                               .columns = arguments.columns,
                                               .task = task,
                                               .tokenizer = tokenizer,
                                               .max_length = static_cast<size_t>(max_length),
                                               .log = program.terminal},
                                              labels);
  return rows->score(model, {.batch_tokens = arguments.batch_tokens, .device = arguments.device});
}

Figures score_text(const EvaluateArguments& arguments, const model::LoadedModel& model,
                   int64_t max_length, const Tokenizer& tokenizer) {
  std::vector<data::Example> examples;
  if (std::filesystem::is_directory(arguments.data)) {
    data::RowOptions options;
    options.max_length = max_length;
    options.held_out = 0;
    const data::ShardRows rows(data::ShardSet::open(arguments.data), tokenizer, options,
                               data::Part::training);
    for (int64_t i = 0; i < rows.size(); ++i) examples.push_back(rows.get(i));
  } else {
    data::DocumentReader reader({arguments.data}, {});
    while (const auto document = reader.next()) {
      data::Example example;
      example.id = examples.size();
      example.sequences["tokens"] =
          tokenizer.encode_single(*document, static_cast<size_t>(max_length)).ids;
      examples.push_back(std::move(example));
    }
    require(!examples.empty(), ErrorKind::data, "evaluate", "{} holds no text",
            arguments.data.string());
  }
  model::MlmObjective objective(model.mlm);
  const auto scores = eval::evaluate_objective(
      *model.encoder, objective, data::MlmCollator(tokenizer, {}), examples,
      {.batch_tokens = arguments.batch_tokens, .device = arguments.device});
  return {{"task", "mlm"},
          {"examples", scores.examples},
          {"tokens", scores.tokens},
          {"loss", scores.loss},
          {"perplexity", eval::perplexity(scores.loss)},
          {"accuracy", scores.share("mlm_correct", "mlm")}};
}

/// The model with the head that is asked for, ready for the arithmetic that is.
model::LoadedModel open_model(const EvaluateArguments& arguments, const Tokenizer& tokenizer,
                              Program& program) {
  model::LoadOptions options;
  options.tensors = options.tensors.device(arguments.device);
  if (arguments.task == kTextTaskName) {
    options.head = model::Head::mlm;
  } else if (!arguments.task.empty()) {
    options.head = find_task(arguments.task).head;
    options.problem = find_task(arguments.task).problem;
  }
  model::LoadedModel model = model::load_model(arguments.model, options);
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  require_fit(tokenizer, model.description, arguments.model);
  const at::ScalarType type = parse_dtype(program.dtype_or_float32());
  nn::compute_in(*model.encoder, type);
  if (arguments.device.is_cpu()) nn::pack_for_inference(*model.encoder, type);
  return model;
}

TaskScores score_model(const EvaluateArguments& arguments, Program& program) {
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const model::LoadedModel model = open_model(arguments, tokenizer, program);
  const int64_t positions = model.description.encoder.longest_sequence();
  const int64_t max_length =
      arguments.max_length > 0 ? std::min(arguments.max_length, positions) : positions;
  if (model.mlm != nullptr) return {score_text(arguments, model, max_length, tokenizer), {}};
  const config::Choice task = chosen_task(arguments, model.description);
  require(!task.kind.empty(), ErrorKind::checkpoint, "evaluate", "{} is a {}: nothing to evaluate",
          arguments.model.string(), model.description.architecture);
  return score_rows(arguments, model, task, max_length, tokenizer, program);
}

int evaluate(const EvaluateArguments& arguments, Program& program) {
  const Figures figures = score_model(arguments, program).figures;
  if (arguments.json) {
    fmt::print("{}\n", json_text(figures));
    return 0;
  }
  for (const auto& [name, value] : figures.items()) {
    fmt::print("{:<18} {}\n", name,
               value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
               : value.is_string()     ? value.get<std::string>()
                                       : json_text(value));
  }
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command =
      app.add_subcommand("evaluate", "measure a model on labelled rows or held-out text");
  command->add_option("--model", arguments->model, "model directory")->required();
  command
      ->add_option("--data", arguments->data,
                   "labelled rows; for a masked language model text or shards")
      ->required();
  std::vector<std::string> names{kTextTaskName};
  for (const TaskKind& kind : task_kinds()) names.push_back(kind.name);
  command->add_option("--task", arguments->task,
                      join(names, ", ") + "; empty: what the model was made for");
  command
      ->add_option("--set", arguments->overrides,
                   "override an option of the task: task.span.no_answer=true; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command->add_option(
      "--format", arguments->columns.format,
      "of files that their name does not tell: " + join(data::task_formats(), ", "));
  command->add_option("--text-column", arguments->columns.text, "column of the text");
  command->add_option("--pair-column", arguments->columns.pair, "column of the second text");
  command->add_option("--label-column", arguments->columns.label, "column of the label");
  command->add_flag("--skip-bad", arguments->columns.skip_bad,
                    "count bad rows instead of refusing them");
  command
      ->add_option("--max-length", arguments->max_length,
                   "cut longer texts; 0: the model's positions")
      ->check(whole_number(0))
      ->capture_default_str();
  command->add_option("--batch-tokens", arguments->batch_tokens, "tokens of a batch")
      ->check(whole_number(1))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object instead of lines");
  command->footer("Example:\n  tenfold evaluate --model runs/sst2/best --data dev.tsv --json");
  command->callback([=, &program] {
    program.action = [=, &program] {
      arguments->device = parse_device(program.device_or_cpu());
      return evaluate(*arguments, program);
    };
  });
}

}  // namespace tenfold::app

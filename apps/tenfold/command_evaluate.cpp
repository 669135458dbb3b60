// `tenfold evaluate`: a fine-tuned model on labelled rows, or a masked language model on text.
// Not here: what is measured of each task (task_*.cpp), or metrics (eval).
#include "column_options.h"
#include "command.h"
#include "config/reader.h"
#include "data/example_source.h"
#include "data/mlm_collator.h"
#include "data/readers.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "evaluated_runs.h"
#include "fit.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "model/mlm_objective.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "score_files.h"
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
  ComparedRuns compared;
  ScoredFiles files;
  bool list_metrics = false;
};

ModelScores score_rows(const EvaluateArguments& arguments, const model::LoadedModel& model,
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
  return {{"task", kTextTaskName},
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

ModelScores score_model(const EvaluateArguments& arguments, Program& program) {
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const model::LoadedModel model = open_model(arguments, tokenizer, program);
  const int64_t positions = model.description.encoder.longest_sequence();
  const int64_t max_length =
      arguments.max_length > 0 ? std::min(arguments.max_length, positions) : positions;
  if (model.mlm != nullptr) return {.figures = score_text(arguments, model, max_length, tokenizer)};
  const config::Choice task =
      task_with(task_of(model.description), arguments.task, arguments.overrides);
  require(!task.kind.empty(), ErrorKind::checkpoint, "evaluate", "{} is a {}: nothing to evaluate",
          arguments.model.string(), model.description.architecture);
  ModelScores scores = score_rows(arguments, model, task, max_length, tokenizer, program);
  scores.labels = model.description.labels;
  return scores;
}

/// Either a model and data, or predictions and references.
void require_inputs(const EvaluateArguments& arguments) {
  if (!arguments.files.predictions.empty()) {
    require(
        arguments.compared.runs.empty() && arguments.data.empty() && arguments.compared.seeds == 0,
        ErrorKind::usage, "evaluate",
        "--predictions stands in place of --model, --data and --seeds");
    require(!arguments.files.references.empty(), ErrorKind::usage, "evaluate",
            "--predictions needs --references");
    return;
  }
  require(!arguments.compared.runs.empty(), ErrorKind::usage, "evaluate",
          "--model is required (or --predictions with --references)");
  require(!arguments.data.empty(), ErrorKind::usage, "evaluate", "--data is required");
}

int evaluate(const EvaluateArguments& arguments, Program& program) {
  if (arguments.list_metrics) {
    fmt::print("{}", metrics_text());
    return 0;
  }
  require_inputs(arguments);
  const bool from_files = !arguments.files.predictions.empty();
  const auto score_all = [&](const std::vector<std::filesystem::path>& paths) {
    std::vector<Named> scores;
    for (const std::filesystem::path& path : paths) {
      if (paths.size() > 1) program.terminal.info("scoring {}", path.string());
      EvaluateArguments one = arguments;
      one.model = path;
      scores.emplace_back(
          path, from_files ? score_files(path, arguments.files) : score_model(one, program));
    }
    return scores;
  };
  const ComparedRuns& compared = arguments.compared;
  const auto models = from_files ? std::vector<std::filesystem::path>{arguments.files.predictions}
                                 : models_of_runs(compared.runs, compared.seeds);
  const auto baseline = from_files ? compared.baseline : models_of_runs(compared.baseline, 0);
  const Figures figures = figures_of_runs(score_all(models), score_all(baseline), compared.draws);
  fmt::print("{}", arguments.json ? json_text(figures) + "\n" : figures_text(figures));
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "measure models on labelled rows or held-out text, or files of predictions");
  command->add_option("--model", arguments->compared.runs,
                      "model directory, or RUN: its best model, or those of RUN/seed-1, seed-2, "
                      "...; several are one group");
  command->add_option("--data", arguments->data,
                      "labelled rows; for a masked language model text or shards");
  std::vector<std::string> names{kTextTaskName};
  for (const TaskKind& kind : task_kinds()) names.push_back(kind.name);
  command->add_option("--task", arguments->task,
                      join(names, ", ") + "; empty: what the model was made for");
  may_be_repeated(command->add_option(
      "--set", arguments->overrides,
      "override an option of the task: task.span.no_answer=true; may be repeated"));
  add_column_options(*command, arguments->columns, data::Labels::required);
  command
      ->add_option("--max-length", arguments->max_length,
                   "cut longer texts; 0: the model's positions")
      ->check(whole_number(0))
      ->capture_default_str();
  command->add_option("--batch-tokens", arguments->batch_tokens, "tokens of a batch")
      ->check(whole_number(1))
      ->capture_default_str();
  add_comparison(*command, arguments->compared);
  add_score_files(*command, arguments->files);
  command->add_flag("--list-metrics", arguments->list_metrics, "the metrics there are, and end");
  command->add_flag("--json", arguments->json, "one JSON object instead of lines");
  command->footer(
      "Examples:\n  tenfold evaluate --model runs/sst2/best --data dev.tsv --json\n"
      "  tenfold evaluate --model runs/new --seeds 5 --baseline runs/old --data dev.tsv\n"
      "  tenfold evaluate --predictions out.txt --references ref.txt --metrics bleu,chrf");
  command->callback([=, &program] {
    program.action = [=, &program] {
      arguments->device = parse_device(program.device_or_cpu());
      return evaluate(*arguments, program);
    };
  });
}

}  // namespace tenfold::app

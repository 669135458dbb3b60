// `tenfold evaluate`: a classifier on labelled rows, or a masked language model on text.
// Not here: metrics (eval/metrics.h).
#include "command.h"
#include "data/classification_collator.h"
#include "data/example_source.h"
#include "data/mlm_collator.h"
#include "data/readers.h"
#include "data/task.h"
#include "eval/metrics.h"
#include "eval/objective_evaluation.h"
#include "fit.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "model/classification_objective.h"
#include "model/mlm_objective.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "support/fail.h"
#include "tensor/device.h"

namespace tenfold::app {
namespace {

struct EvaluateArguments {
  std::filesystem::path model, data;
  std::string task;
  data::TaskColumns columns;
  int64_t max_length = 0;
  int64_t batch_tokens = 4096;
  bool json = false;
  torch::Device device = torch::kCPU;
};

using Figures = nlohmann::ordered_json;

Figures classify_file(const EvaluateArguments& arguments, const model::LoadedModel& model,
                      int64_t max_length, const Tokenizer& tokenizer, Program& program) {
  const data::TaskFile file =
      data::read_task(arguments.data, arguments.columns, data::Labels::required);
  if (file.bad_rows > 0)
    program.terminal.warn("{} bad rows skipped: {}", file.bad_rows, file.first_bad);
  const auto& labels = model.description.labels;
  const auto examples =
      data::make_examples(file.rows, tokenizer, labels, max_length, arguments.data.string());
  const model::ClassificationObjective objective(model.classifier);
  const auto logits = [&](const data::Batch& batch) {
    return objective.logits(*model.encoder, batch, PassContext::evaluation());
  };
  const auto scores = eval::evaluate_classification(
      logits, data::ClassificationCollator(), examples, static_cast<int64_t>(labels.size()),
      {.batch_tokens = arguments.batch_tokens, .device = arguments.device});
  Figures figures{{"task", "classification"},
                  {"examples", examples.size()},
                  {"accuracy", eval::accuracy(scores.confusion)},
                  {"f1_macro", eval::f1_macro(scores.confusion)},
                  {"f1_micro", eval::f1_micro(scores.confusion)},
                  {"mcc", eval::matthews_correlation(scores.confusion)},
                  {"loss", scores.loss}};
  if (labels.size() == 2) figures["f1"] = eval::f1_binary(scores.confusion);
  const int64_t majority = eval::majority_class(scores.gold);
  figures["majority_class"] = labels[static_cast<size_t>(majority)];
  figures["majority_accuracy"] = static_cast<double>(scores.confusion.gold_count(majority)) /
                                 static_cast<double>(examples.size());
  return figures;
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

int evaluate(const EvaluateArguments& arguments, Program& program) {
  require(arguments.task.empty() || arguments.task == "classification" || arguments.task == "mlm",
          ErrorKind::usage, "evaluate", "unknown task '{}': expected classification or mlm",
          arguments.task);
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  model::LoadOptions options;
  options.tensors = options.tensors.device(arguments.device);
  if (arguments.task == "mlm") options.head = model::Head::mlm;
  if (arguments.task == "classification") options.head = model::Head::classifier;
  const model::LoadedModel model = model::load_model(arguments.model, options);
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  require_fit(tokenizer, model.description, arguments.model);
  const at::ScalarType type = parse_dtype(program.dtype_or_float32());
  nn::compute_in(*model.encoder, type);
  if (arguments.device.is_cpu()) nn::pack_for_inference(*model.encoder, type);
  const int64_t positions = model.description.encoder.longest_sequence();
  const int64_t max_length =
      arguments.max_length > 0 ? std::min(arguments.max_length, positions) : positions;
  require(model.classifier || model.mlm, ErrorKind::checkpoint, "evaluate",
          "{} has neither a classifier nor a vocabulary head", arguments.model.string());
  const Figures figures = model.classifier
                              ? classify_file(arguments, model, max_length, tokenizer, program)
                              : score_text(arguments, model, max_length, tokenizer);
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
                   "labelled .tsv, .csv or .jsonl; for a masked language model text or shards")
      ->required();
  command->add_option("--task", arguments->task,
                      "classification or mlm; empty: what the model was made for");
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

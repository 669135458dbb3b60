// `tenfold predict` and `tenfold fill`: JSON lines out, one per input, in order.
// Not here: the model (tenfold/model.h) or evaluation.
#include "command.h"
#include "data/task.h"
#include "data/text_lines.h"
#include "json_text.h"
#include "results_out.h"
#include "support/fail.h"
#include "tenfold/model.h"

namespace tenfold::app {
namespace {

constexpr size_t kRowsAtOnce = 64;

struct PredictArguments {
  std::filesystem::path model, input, output;
  data::TaskColumns columns;
  size_t top = 5;
};

Model load_model(const PredictArguments& arguments, ModelHead head, Program& program) {
  Model model = Model::load(
      arguments.model,
      {.head = head, .device = program.device_or_cpu(), .dtype = program.dtype_or_float32()});
  for (const std::string& warning : model.warnings()) program.terminal.warn("{}", warning);
  return model;
}

/// {"label", "score", "scores"}, the scores in the order of the model's labels.
nlohmann::ordered_json label_line(const std::vector<LabelScore>& best_first,
                                  const std::vector<std::string>& labels) {
  nlohmann::ordered_json scores = nlohmann::ordered_json::object();
  for (const std::string& label : labels) scores[label] = nullptr;
  for (const LabelScore& score : best_first) scores[score.label] = score.score;
  return {{"label", best_first.front().label},
          {"score", best_first.front().score},
          {"scores", std::move(scores)}};
}

int predict(const PredictArguments& arguments, Program& program) {
  const Model model = load_model(arguments, ModelHead::classifier, program);
  const data::TaskFile file =
      data::read_task(arguments.input, arguments.columns, data::Labels::optional);
  ResultsOut out(arguments.output);
  for (size_t begin = 0; begin < file.rows.size(); begin += kRowsAtOnce) {
    std::vector<TextPair> rows;
    for (size_t i = begin; i < std::min(begin + kRowsAtOnce, file.rows.size()); ++i) {
      rows.push_back({.first = file.rows[i].text, .second = file.rows[i].pair});
    }
    for (const auto& scores : model.classify(rows)) {
      out.line(json_text(label_line(scores, model.labels())));
    }
    out.flush();
  }
  out.finish();
  return 0;
}

nlohmann::ordered_json filled_line(const std::string& text, const std::vector<FilledMask>& masks) {
  nlohmann::ordered_json found = nlohmann::ordered_json::array();
  for (const FilledMask& mask : masks) {
    nlohmann::ordered_json candidates = nlohmann::ordered_json::array();
    for (const TokenScore& candidate : mask.candidates) {
      candidates.push_back({{"token_str", candidate.token},
                            {"token", candidate.id},
                            {"score", candidate.score},
                            {"sequence", candidate.sequence}});
    }
    found.push_back({{"position", mask.position}, {"candidates", std::move(candidates)}});
  }
  return {{"text", text}, {"masks", std::move(found)}};
}

int fill(const PredictArguments& arguments, Program& program) {
  const Model model = load_model(arguments, ModelHead::vocabulary, program);
  data::TextLines lines(arguments.input);
  ResultsOut out(arguments.output);
  int64_t without = 0;
  std::vector<std::string> texts;
  const auto write_texts = [&] {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const auto filled = model.fill(views, arguments.top);
    for (size_t i = 0; i < texts.size(); ++i) {
      without += filled[i].empty() ? 1 : 0;
      out.line(json_text(filled_line(texts[i], filled[i])));
    }
    out.flush();
    texts.clear();
  };
  while (auto line = lines.next()) {
    texts.push_back(std::move(*line));
    if (texts.size() == kRowsAtOnce) write_texts();
  }
  write_texts();
  out.finish();
  if (without > 0) {
    const Tokenizer& tokenizer = model.tokenizer();
    program.terminal.warn("{} lines hold no {}", without, tokenizer.token(tokenizer.mask_id()));
  }
  return 0;
}

void add_common(CLI::App& command, PredictArguments& arguments) {
  command.add_option("--model", arguments.model, "model directory")->required();
  command.add_option("--input", arguments.input, "file, or - for standard input")->required();
  command.add_option("--output", arguments.output, kOutputHelp);
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command =
      app.add_subcommand("predict", "label texts or pairs with a fine-tuned classifier");
  add_common(*command, *arguments);
  command->add_option("--text-column", arguments->columns.text, "column of the text");
  command->add_option("--pair-column", arguments->columns.pair, "column of the second text");
  command->footer(
      "Lines of text (pairs separated by a tab), or .tsv, .csv, .jsonl with columns.\n\n"
      "Example:\n  echo 'a fine film' | tenfold predict --model runs/sst2/best --input -");
  command->callback(
      [=, &program] { program.action = [=, &program] { return predict(*arguments, program); }; });
}

void add_fill(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<PredictArguments>();
  CLI::App* command = app.add_subcommand("fill", "the best tokens for each [MASK]");
  add_common(*command, *arguments);
  command->add_option("--top", arguments->top, "candidates for each [MASK]")
      ->check(whole_number(1))
      ->capture_default_str();
  command->footer(
      "Example:\n  echo 'a dog is an [MASK]' | tenfold fill --model runs/mlm/best --input - --top "
      "5");
  command->callback(
      [=, &program] { program.action = [=, &program] { return fill(*arguments, program); }; });
}

}  // namespace tenfold::app

// `tenfold predict` and `tenfold fill`: JSON lines out, one per input, in order.
// Not here: evaluation.
#include <nlohmann/json.hpp>

#include "command.h"
#include "data/classification_collator.h"
#include "data/task.h"
#include "data/text_lines.h"
#include "model/checkpoint.h"
#include "model/classification_objective.h"
#include "nn/packing.h"
#include "results_out.h"
#include "support/fail.h"

namespace tenfold::app {
namespace {

constexpr size_t kRowsAtOnce = 64;

struct PredictArguments {
  std::filesystem::path model, input, output;
  data::TaskColumns columns;
  int64_t top = 5;
};

model::LoadedModel load_for_inference(const std::filesystem::path& directory, model::Head head,
                                      Program& program) {
  model::LoadedModel model = model::load_model(directory, {.head = head});
  for (const std::string& warning : model.warnings) program.terminal.warn("{}", warning);
  nn::pack_for_inference(*model.encoder);
  return model;
}

int predict(const PredictArguments& arguments, Program& program) {
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const model::LoadedModel model =
      load_for_inference(arguments.model, model::Head::classifier, program);
  const auto& labels = model.description.labels;
  const data::TaskFile file =
      data::read_task(arguments.input, arguments.columns, data::Labels::optional);
  const auto examples = data::make_examples(file.rows, tokenizer, {},
                                            model.description.encoder.max_position_embeddings,
                                            arguments.input.string());
  const model::ClassificationObjective objective(model.classifier, 0);
  ResultsOut out(arguments.output);
  torch::NoGradGuard no_gradient;
  for (size_t begin = 0; begin < examples.size(); begin += kRowsAtOnce) {
    const std::span rows(examples.data() + begin, std::min(kRowsAtOnce, examples.size() - begin));
    const data::Batch batch = data::ClassificationCollator().collate(rows, {});
    const Tensor share_BC = objective.logits(*model.encoder, batch, PassContext::evaluation())
                                .softmax(1)
                                .to(torch::kFloat64);
    const auto share = share_BC.accessor<double, 2>();
    for (size_t i = 0; i < rows.size(); ++i) {
      nlohmann::ordered_json scores = nlohmann::ordered_json::object();
      size_t best = 0;
      for (size_t c = 0; c < labels.size(); ++c) {
        const double p = share[static_cast<int64_t>(i)][static_cast<int64_t>(c)];
        scores[labels[c]] = p;
        if (p > share[static_cast<int64_t>(i)][static_cast<int64_t>(best)]) best = c;
      }
      out.line(nlohmann::ordered_json{
          {"label", labels[best]}, {"score", scores[labels[best]]}, {"scores", scores}}
                   .dump());
    }
  }
  out.finish();
  return 0;
}

/// The best tokens for each [MASK] of one encoded line.
nlohmann::ordered_json fill_line(const std::string& line, const model::LoadedModel& model,
                                 const Tokenizer& tokenizer, int64_t top) {
  const auto limit = static_cast<size_t>(model.description.encoder.max_position_embeddings);
  data::Example example;
  std::vector<int32_t> ids = tokenizer.encode_single(line, limit).ids;
  example.sequences["tokens"] = ids;
  const data::Batch batch = data::ClassificationCollator().collate({&example, 1}, {});
  std::vector<int64_t> masked;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == tokenizer.mask_id()) masked.push_back(static_cast<int64_t>(i));
  }
  nlohmann::ordered_json found = nlohmann::ordered_json::array();
  if (!masked.empty()) {
    const Tensor hidden_TD =
        model.encoder->forward(batch.input("tokens"), PassContext::evaluation()).hidden_TD;
    const Tensor rows = torch::tensor(masked, torch::kInt64);
    const Tensor share_PV =
        model.mlm->logits(hidden_TD.index_select(0, rows), model.encoder->word_embeddings_VD())
            .softmax(1);
    const auto [scores_PK, tokens_PK] = share_PV.topk(std::min<int64_t>(top, tokenizer.size()), 1);
    for (size_t p = 0; p < masked.size(); ++p) {
      nlohmann::ordered_json candidates = nlohmann::ordered_json::array();
      for (int64_t k = 0; k < scores_PK.size(1); ++k) {
        const auto token =
            static_cast<int32_t>(tokens_PK[static_cast<int64_t>(p)][k].item<int64_t>());
        std::vector<int32_t> filled = ids;
        filled[static_cast<size_t>(masked[p])] = token;
        candidates.push_back({{"token_str", tokenizer.token(token)},
                              {"token", token},
                              {"score", scores_PK[static_cast<int64_t>(p)][k].item<double>()},
                              {"sequence", tokenizer.decode_without_special(filled)}});
      }
      found.push_back({{"position", masked[p]}, {"candidates", candidates}});
    }
  }
  return {{"text", line}, {"masks", found}};
}

int fill(const PredictArguments& arguments, Program& program) {
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  require(tokenizer.mask_id() >= 0, ErrorKind::checkpoint, "fill",
          "the vocabulary has no mask token");
  const model::LoadedModel model = load_for_inference(arguments.model, model::Head::mlm, program);
  data::TextLines lines(arguments.input);
  ResultsOut out(arguments.output);
  torch::NoGradGuard no_gradient;
  int64_t without = 0;
  while (const auto line = lines.next()) {
    const auto result = fill_line(*line, model, tokenizer, arguments.top);
    without += result.at("masks").empty() ? 1 : 0;
    out.line(result.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  out.finish();
  if (without > 0)
    program.terminal.warn("{} lines hold no {}", without, tokenizer.token(tokenizer.mask_id()));
  return 0;
}

void add_common(CLI::App& command, PredictArguments& arguments) {
  command.add_option("--model", arguments.model, "model directory")->required();
  command.add_option("--input", arguments.input, "file, or - for standard input")->required();
  command.add_option("--output", arguments.output,
                     "file for the JSON lines (default: standard output)");
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
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->footer(
      "Example:\n  echo 'a dog is an [MASK]' | tenfold fill --model runs/mlm/best --input - --top "
      "5");
  command->callback(
      [=, &program] { program.action = [=, &program] { return fill(*arguments, program); }; });
}

}  // namespace tenfold::app

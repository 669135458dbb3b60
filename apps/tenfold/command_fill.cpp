// `tenfold fill`: the best tokens for each [MASK], a JSON line a text.
// Not here: the model (tenfold/model.h).
#include "json_text.h"
#include "predicting.h"
#include "results_out.h"

namespace tenfold::app {
namespace {

struct FillArguments : PredictArguments {
  size_t top = 5;
};

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

int fill(const FillArguments& arguments, Program& program) {
  const Model model = open_for_prediction(arguments, ModelHead::vocabulary, program);
  data::TextLines lines(arguments.input);
  ResultsOut out(arguments.output);
  int64_t without = 0;
  in_portions([&] { return lines.next(); },
              [&](const std::vector<std::string>& texts) {
                const std::vector<std::string_view> views(texts.begin(), texts.end());
                const auto filled = model.fill(views, arguments.top);
                for (size_t i = 0; i < texts.size(); ++i) {
                  without += filled[i].empty() ? 1 : 0;
                  out.line(json_text(filled_line(texts[i], filled[i])));
                }
                out.flush();
              });
  out.finish();
  if (without > 0) {
    const Tokenizer& tokenizer = model.tokenizer();
    program.terminal.warn("{} lines hold no {}", without, tokenizer.token(tokenizer.mask_id()));
  }
  return 0;
}

}  // namespace

void add_fill(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<FillArguments>();
  CLI::App* command = app.add_subcommand("fill", "the best tokens for each [MASK]");
  add_predict_arguments(*command, *arguments);
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

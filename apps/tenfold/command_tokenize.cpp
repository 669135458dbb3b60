// `tenfold tokenize`: ids, tokens and byte offsets of each line.
// Not here: the tokenizer.
#include "command.h"
#include "data/text_lines.h"
#include "json_text.h"
#include "results_out.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {
namespace {

struct TokenizeArguments {
  std::filesystem::path model, input, output;
};

int tokenize(const TokenizeArguments& arguments) {
  const Tokenizer tokenizer = Tokenizer::load(arguments.model);
  data::TextLines lines(arguments.input);
  ResultsOut out(arguments.output);
  while (const auto line = lines.next()) {
    const Encoding encoding = tokenizer.encode_single(*line);
    nlohmann::ordered_json tokens = nlohmann::ordered_json::array(),
                           offsets = nlohmann::ordered_json::array();
    for (size_t i = 0; i < encoding.size(); ++i) {
      tokens.push_back(tokenizer.token(encoding.ids[i]));
      offsets.push_back({encoding.begin[i], encoding.end[i]});
    }
    out.line(json_text({{"ids", encoding.ids}, {"tokens", tokens}, {"offsets", offsets}}));
  }
  out.finish();
  return 0;
}

}  // namespace

void add_tokenize(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<TokenizeArguments>();
  CLI::App* command =
      app.add_subcommand("tokenize", "ids, tokens and byte offsets of each line, as JSON lines");
  command->add_option("--model", arguments->model, "folder with a tokenizer")->required();
  command->add_option("--input", arguments->input, "file, or - for standard input")->required();
  command->add_option("--output", arguments->output, kOutputHelp);
  command->footer("Example:\n  echo 'Hello, world' | tenfold tokenize --model vocab --input -");
  command->callback([=, &program] { program.action = [=] { return tokenize(*arguments); }; });
}

}  // namespace tenfold::app

// `tenfold embed` and `tenfold similarity`: vectors of texts, and cosines between them.
// Not here: how a text becomes a vector (tenfold/model.h).
#include <map>

#include "data/task.h"
#include "json_text.h"
#include "predicting.h"
#include "results_out.h"
#include "support/fail.h"
#include "vector_file.h"

namespace tenfold::app {
namespace {

struct EmbedArguments : PredictArguments {
  EmbedOptions embed;
};

/// --pooling, --normalize, --prompt.
void add_embed_options(CLI::App& command, EmbedOptions& options) {
  const std::map<std::string, EmbedPooling> names{{"as-stored", EmbedPooling::as_stored},
                                                  {"mean", EmbedPooling::mean},
                                                  {"cls", EmbedPooling::cls},
                                                  {"max", EmbedPooling::max}};
  command.add_option("--pooling", options.pooling, "how rows become a vector (default: as-stored)")
      ->transform(CLI::CheckedTransformer(names).description(""))
      ->type_name("{as-stored,mean,cls,max}");
  command.add_option("--normalize", options.normalize,
                     "true: vectors of length 1 (default: as the model says)");
  command.add_option("--prompt", options.prompt,
                     "name of a stored text to put in front (default: as the model says)");
}

int embed_texts(const EmbedArguments& arguments, Program& program) {
  const Model model = open_for_prediction(arguments, ModelHead::as_stored, program);
  TextInput input(arguments.input);
  const auto out = open_vectors(arguments.output, model.width());
  in_portions([&] { return input.next(); },
              [&](const std::vector<std::string>& texts) {
                const std::vector<std::string_view> views(texts.begin(), texts.end());
                for (const auto& vector : model.embed(views, arguments.embed)) out->add(vector);
                out->flush();
              });
  out->finish();
  return 0;
}

struct SimilarityArguments : EmbedArguments {
  std::optional<std::string> query;
};

/// Lines of two texts with a tab between them, or of one text beside the query.
TextPair pair_of(const std::string& line, const SimilarityArguments& arguments,
                 const TextInput& input) {
  if (arguments.query) return {.first = *arguments.query, .second = line};
  const size_t tab = line.find('\t');
  require(tab != std::string::npos, ErrorKind::data, "similarity",
          "{}: expected text<TAB>text in every line, or --query, got '{}'", input.name(), line);
  const std::string_view view = line;
  return {.first = view.substr(0, tab), .second = view.substr(tab + 1)};
}

int compare_texts(const SimilarityArguments& arguments, Program& program) {
  const Model model = open_for_prediction(arguments, ModelHead::as_stored, program);
  TextInput input(arguments.input);
  ResultsOut out(arguments.output);
  in_portions([&] { return input.next(); },
              [&](const std::vector<std::string>& lines) {
                std::vector<TextPair> pairs;
                for (const std::string& line : lines)
                  pairs.push_back(pair_of(line, arguments, input));
                for (const double cosine : model.similarity(pairs, arguments.embed))
                  out.line(json_text({{"score", cosine}}));
                out.flush();
              });
  out.finish();
  return 0;
}

}  // namespace

void add_embed(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<EmbedArguments>();
  CLI::App* command = app.add_subcommand("embed", "a vector for each text");
  add_predict_arguments(*command, *arguments);
  add_embed_options(*command, arguments->embed);
  command->get_option("--output")
      ->description(
          "*.npy or *.safetensors (\"embeddings\"): float32 [texts, width]; else a JSON "
          "list a line (default: standard output)");
  command->footer(
      "A text a line, or .jsonl with \"text\".\n\n"
      "Example:\n  tenfold embed --model all-MiniLM-L6-v2 --input texts.txt --output vectors.npy");
  command->callback([=, &program] {
    program.action = [=, &program] { return embed_texts(*arguments, program); };
  });
}

void add_similarity(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<SimilarityArguments>();
  CLI::App* command = app.add_subcommand("similarity", "cosines of the vectors of two texts");
  add_predict_arguments(*command, *arguments);
  add_embed_options(*command, arguments->embed);
  command->add_option("--query", arguments->query,
                      "one text that every line is compared with, instead of pairs");
  command->footer(
      "Lines text<TAB>text, or one text a line with --query; {\"score\": cosine} a line.\n\n"
      "Example:\n  tenfold similarity --model runs/sts/best --input texts.txt --query 'a red car'");
  command->callback([=, &program] {
    program.action = [=, &program] { return compare_texts(*arguments, program); };
  });
}

}  // namespace tenfold::app

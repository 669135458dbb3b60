// `tenfold tag`: the entities of each text, as a JSON line.
// Not here: the model (tenfold/model.h), or scores of taggers (command_evaluate.cpp).
#include "json_text.h"
#include "predicting.h"
#include "results_out.h"

namespace tenfold::app {
namespace {

struct TagArguments : PredictArguments {
  bool words = false;
};

nlohmann::ordered_json entity_lines(const std::string& text, const TaggedText& tagged) {
  nlohmann::ordered_json line = nlohmann::ordered_json::array();
  CodePointCount points(text);
  for (const TaggedSpan& span : tagged.spans) {
    const size_t start = points.before(span.begin);
    line.push_back({{"entity_group", span.type},
                    {"score", span.score},
                    {"word", text.substr(span.begin, span.end - span.begin)},
                    {"start", start},
                    {"end", points.before(span.end)},
                    {"start_byte", span.begin},
                    {"end_byte", span.end}});
  }
  return line;
}

nlohmann::ordered_json word_lines(const std::string& text, const TaggedText& tagged) {
  nlohmann::ordered_json line = nlohmann::ordered_json::array();
  CodePointCount points(text);
  for (const WordTag& word : tagged.words) {
    const size_t start = points.before(word.begin);
    line.push_back({{"entity", word.tag},
                    {"score", word.score},
                    {"index", line.size()},
                    {"word", text.substr(word.begin, word.end - word.begin)},
                    {"start", start},
                    {"end", points.before(word.end)},
                    {"start_byte", word.begin},
                    {"end_byte", word.end}});
  }
  return line;
}

int tag_texts(const TagArguments& arguments, Program& program) {
  const Model model = open_for_prediction(arguments, ModelHead::as_stored, program);
  TextInput input(arguments.input);
  ResultsOut out(arguments.output);
  in_portions([&] { return input.next(); },
              [&](const std::vector<std::string>& texts) {
                const std::vector<std::string_view> views(texts.begin(), texts.end());
                const auto tagged = model.tag(views);
                for (size_t i = 0; i < texts.size(); ++i) {
                  out.line(json_text(arguments.words ? word_lines(texts[i], tagged[i])
                                                     : entity_lines(texts[i], tagged[i])));
                }
                out.flush();
              });
  out.finish();
  return 0;
}

}  // namespace

void add_tag(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<TagArguments>();
  CLI::App* command = app.add_subcommand("tag", "the entities of texts, by a fine-tuned tagger");
  add_predict_arguments(*command, *arguments);
  command->add_flag("--words", arguments->words, "the tag of every word instead of entities");
  command->footer(
      "A text a line, or .jsonl with \"text\"; a list of entities a line, places counted in code "
      "points and in bytes.\n\n"
      "Example:\n  echo 'Anna lives in Oslo.' | tenfold tag --model runs/ner/best --input -");
  command->callback(
      [=, &program] { program.action = [=, &program] { return tag_texts(*arguments, program); }; });
}

}  // namespace tenfold::app

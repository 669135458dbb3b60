// `tenfold predict`: what a fine-tuned model says of the rows of its task, a JSON line a row, in
// order. Not here: the model (tenfold/model.h), running text (command_tag.cpp, command_qa.cpp,
// command_embed.cpp), or scores (command_evaluate.cpp).
#include "column_options.h"
#include "data/glue.h"
#include "data/object_rows.h"
#include "data/task.h"
#include "data/text_lines.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "predicting.h"
#include "results_out.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/strings.h"
#include "task_choice.h"
#include "task_table.h"
#include "task_tagging.h"

namespace tenfold::app {
namespace {

using Line = nlohmann::ordered_json;

struct PredictRows : PredictArguments {
  data::TaskColumns columns;
  std::filesystem::path submission;
};

Line scores_by_label(const std::vector<LabelScore>& found, const std::vector<std::string>& labels) {
  Line scores = Line::object();
  for (const std::string& label : labels) scores[label] = nullptr;
  for (const LabelScore& score : found) scores[score.label] = score.score;
  return scores;
}

/// {"label", "score", "scores"}, the scores in the order of the model's labels.
Line class_line(const std::vector<LabelScore>& best_first, const std::vector<std::string>& labels) {
  return {{"label", best_first.front().label},
          {"score", best_first.front().score},
          {"scores", scores_by_label(best_first, labels)}};
}

/// {"labels", "scores"}: those more likely than not, the best first.
Line label_set_line(const std::vector<LabelScore>& best_first,
                    const std::vector<std::string>& labels) {
  Line chosen = Line::array();
  for (const LabelScore& score : best_first)
    if (score.score > 0.5) chosen.push_back(score.label);
  return {{"labels", std::move(chosen)}, {"scores", scores_by_label(best_first, labels)}};
}

/// Calls `use(first, last)` for portions of `rows` rows.
template <typename Use>
void by_portions(size_t rows, ResultsOut& out, const Use& use) {
  for (size_t begin = 0; begin < rows; begin += kRowsAtOnce) {
    use(begin, std::min(begin + kRowsAtOnce, rows));
    out.flush();
  }
}

/// The file that GLUE's server takes, for the task that the format names.
void write_submission(const PredictRows& arguments, std::span<const std::string> predictions) {
  const data::GlueTask& task = data::glue_task(arguments.columns.format);
  const std::string split = data::plain_name(arguments.input).stem().string();
  tenfold::create_directories(arguments.submission);
  data::write_glue_submission(arguments.submission / data::glue_submission_name(task, split), task,
                              predictions);
}

void predict_texts(const Model& model, const std::string& kind, const PredictRows& arguments,
                   ResultsOut& out) {
  const data::TaskFile file =
      data::read_task(arguments.input, arguments.columns, data::Labels::optional);
  std::vector<std::string> predictions;
  by_portions(file.rows.size(), out, [&](size_t begin, size_t end) {
    std::vector<TextPair> rows;
    const bool compares = kind == "similarity" || kind == "contrastive";
    for (size_t i = begin; i < end; ++i) {
      rows.push_back({.first = file.rows[i].text, .second = file.rows[i].pair});
      require(!compares || rows.back().second, ErrorKind::data, "predict",
              "{}:{}: a second text is needed", arguments.input.string(), file.rows[i].line);
    }
    if (compares) {
      for (const double cosine : model.similarity(rows)) out.line(json_text({{"score", cosine}}));
      return;
    }
    for (const auto& found : model.classify(rows)) {
      predictions.push_back(kind == "regression" ? fmt::format("{}", found[0].score)
                                                 : found[0].label);
      out.line(json_text(kind == "regression"    ? Line{{"score", found[0].score}}
                         : kind == "multi_label" ? label_set_line(found, model.labels())
                                                 : class_line(found, model.labels())));
    }
  });
  if (!arguments.submission.empty()) write_submission(arguments, predictions);
}

/// The words of a row as one text, a blank between them.
struct JoinedWords {
  std::string text;
  std::vector<std::pair<size_t, size_t>> words;

  explicit JoinedWords(const std::vector<std::string>& row) {
    for (const std::string& word : row) {
      if (!text.empty()) text += ' ';
      words.emplace_back(text.size(), text.size() + word.size());
      text += word;
    }
  }
};

/// {"words", "tags"}; words stand where the model remembers them to stand.
void predict_tags(const Model& model, const TaggingOptions& task, const PredictRows& arguments,
                  ResultsOut& out) {
  data::TagColumns columns = task.columns;
  columns.skip_bad = columns.skip_bad || arguments.columns.skip_bad;
  if (columns.encoding == data::TextEncoding::utf8) columns.encoding = arguments.columns.encoding;
  const auto file = data::read_tagged(arguments.input, columns, data::Labels::optional);
  by_portions(file.rows.size(), out, [&](size_t begin, size_t end) {
    std::vector<JoinedWords> joined;
    for (size_t i = begin; i < end; ++i) joined.emplace_back(file.rows[i].words);
    std::vector<CutText> texts;
    for (const JoinedWords& row : joined) texts.push_back({.text = row.text, .words = row.words});
    const auto tagged = model.tag(texts);
    for (size_t i = 0; i < tagged.size(); ++i) {
      Line tags = Line::array();
      for (const WordTag& word : tagged[i].words) tags.push_back(word.tag);
      out.line(json_text({{"words", file.rows[begin + i].words}, {"tags", std::move(tags)}}));
    }
  });
}

/// {"choice", "score", "scores"}.
void predict_choices(const Model& model, const PredictRows& arguments, ResultsOut& out) {
  const auto file =
      data::read_choices(arguments.input, rules_of(arguments.columns), data::Labels::optional);
  by_portions(file.rows.size(), out, [&](size_t begin, size_t end) {
    std::vector<std::string> stems;
    for (size_t i = begin; i < end; ++i) stems.push_back(choice_stem(file.rows[i]));
    std::vector<ChoiceQuestion> questions;
    for (size_t i = begin; i < end; ++i) {
      const auto& choices = file.rows[i].choices;
      questions.push_back(
          {.question = stems[i - begin], .choices = {choices.begin(), choices.end()}});
    }
    for (const auto& scores : model.choose(questions)) {
      const auto best = std::max_element(scores.begin(), scores.end());
      out.line(
          json_text({{"choice", best - scores.begin()}, {"score", *best}, {"scores", scores}}));
    }
  });
}

int predict(const PredictRows& arguments, Program& program) {
  const config::Choice task = task_of(model::read_description(arguments.model));
  const std::string& kind = task.kind;
  require(!kind.empty() && kind != "span", kind.empty() ? ErrorKind::checkpoint : ErrorKind::usage,
          "predict", "{} {}", arguments.model.string(),
          kind.empty() ? "is no fine-tuned model: fine-tune it first"
                       : "answers questions: use tenfold qa");
  if (!arguments.submission.empty()) {
    data::glue_task(arguments.columns.format);
    require(kind == "classification" || kind == "regression", ErrorKind::usage, "predict",
            "GLUE takes classes and scores, the model is for {}", kind);
  }
  const Model model = open_for_prediction(arguments, ModelHead::as_stored, program);
  ResultsOut out(arguments.output);
  if (kind == "tagging") {
    predict_tags(model, task.as<TaggingOptions>(), arguments, out);
  } else if (kind == "choice") {
    predict_choices(model, arguments, out);
  } else {
    predict_texts(model, kind, arguments, out);
  }
  out.finish();
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<PredictRows>();
  CLI::App* command =
      app.add_subcommand("predict", "what a fine-tuned model says of the rows of its task");
  add_predict_arguments(*command, *arguments);
  add_column_options(*command, arguments->columns, data::Labels::optional);
  command->add_option("--submission", arguments->submission,
                      "folder for the file that GLUE's server takes; with --format glue-...");
  command->footer(
      "Lines of text (pairs separated by a tab), or .tsv, .csv, .jsonl with columns; for taggers "
      "columns of words, for\nchoices .jsonl. Running text: see tag, qa, embed and similarity.\n\n"
      "Example:\n  echo 'a fine film' | tenfold predict --model runs/sst2/best --input -\n"
      "  tenfold predict --model runs/rte/best --input glue/RTE/test.tsv --format glue-rte "
      "--submission glue-out");
  command->callback(
      [=, &program] { program.action = [=, &program] { return predict(*arguments, program); }; });
}

}  // namespace tenfold::app

// `tenfold qa`: answers to questions as spans of their passages, a JSON line a question.
// Not here: the model (tenfold/model.h), or exact match and F1 (command_evaluate.cpp).
#include "data/span_rows.h"
#include "json_text.h"
#include "model/checkpoint.h"
#include "predicting.h"
#include "results_out.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "task_span.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

struct QaArguments : PredictArguments {
  AnswerOptions answers;
  bool no_answer = false;
  std::optional<double> threshold;
  std::optional<size_t> stride, max_answer;
  std::filesystem::path predictions;
};

/// A question with its passage, shared where a paragraph has several.
struct QaRow {
  std::string id, question;
  std::shared_ptr<const std::string> context;
};

/// Questions of a SQuAD file (*.json), or JSON lines with "question" and "context", or lines
/// "question<TAB>context".
class QaInput {
 public:
  explicit QaInput(const std::filesystem::path& path) {
    const std::string kind = data::plain_name(path).extension().string();
    if (kind == ".json") {
      file_ = data::read_spans(path, {}, data::Labels::optional);
    } else {
      lines_ = std::make_unique<data::TextLines>(path);
      objects_ = kind == ".jsonl";
    }
  }

  std::optional<QaRow> next() {
    if (!lines_) {
      if (row_ == file_.rows.size()) return std::nullopt;
      data::SpanRow& row = file_.rows[row_++];
      return QaRow{row.id, row.question, row.context};
    }
    const auto line = lines_->next();
    if (!line) return std::nullopt;
    return objects_ ? from_object(*line) : from_columns(*line);
  }

 private:
  QaRow from_columns(const std::string& line) const {
    const size_t tab = line.find('\t');
    require(tab != std::string::npos, ErrorKind::data, "qa", "{}:{}: expected question<TAB>context",
            lines_->name(), lines_->number());
    return {{}, line.substr(0, tab), std::make_shared<const std::string>(line.substr(tab + 1))};
  }

  QaRow from_object(const std::string& line) const {
    const auto [parsed, fault] = try_parse_json(line, kRowLimits);
    const auto text = [&, &row = parsed](const char* key) {
      return row.is_object() && row.contains(key) && row[key].is_string();
    };
    require(fault.empty() && text("question") && text("context"), ErrorKind::data, "qa",
            "{}:{}: expected an object with a \"question\" and a \"context\"", lines_->name(),
            lines_->number());
    return {text("id") ? parsed["id"].get<std::string>() : std::string(),
            parsed["question"].get<std::string>(),
            std::make_shared<const std::string>(parsed["context"].get<std::string>())};
  }

  data::RowFile<data::SpanRow> file_;
  size_t row_ = 0;
  std::unique_ptr<data::TextLines> lines_;
  bool objects_ = false;
};

nlohmann::ordered_json answer_object(const Answer& answer, const QaRow& row) {
  CodePointCount points(*row.context);
  const size_t start = points.before(answer.begin);
  nlohmann::ordered_json line;
  if (!row.id.empty()) line["id"] = row.id;
  line.update({{"score", answer.score},
               {"start", start},
               {"end", points.before(answer.end)},
               {"answer", answer.text},
               {"start_byte", answer.begin},
               {"end_byte", answer.end}});
  return line;
}

/// What the model was fine-tuned with, and what the command line says.
AnswerOptions answer_options(const QaArguments& arguments) {
  AnswerOptions options = arguments.answers;
  const config::Choice task = task_of(model::read_description(arguments.model));
  if (task.kind == "span") {
    const auto& tuned = task.as<SpanTaskOptions>();
    options.no_answer = tuned.answers.no_answer;
    options.threshold = tuned.answers.threshold;
    options.max_answer = static_cast<size_t>(tuned.answers.max_answer);
    options.stride = static_cast<size_t>(tuned.stride);
  }
  options.no_answer = options.no_answer || arguments.no_answer;
  options.threshold = arguments.threshold.value_or(options.threshold);
  options.max_answer = arguments.max_answer.value_or(options.max_answer);
  options.stride = arguments.stride.value_or(options.stride);
  return options;
}

int answer_questions(const QaArguments& arguments, Program& program) {
  const Model model = open_for_prediction(arguments, ModelHead::as_stored, program);
  const AnswerOptions options = answer_options(arguments);
  QaInput input(arguments.input);
  ResultsOut out(arguments.output);
  nlohmann::ordered_json predictions = nlohmann::ordered_json::object();
  in_portions([&] { return input.next(); },
              [&](const std::vector<QaRow>& rows) {
                std::vector<Question> questions;
                for (const QaRow& row : rows)
                  questions.push_back({.question = row.question, .context = *row.context});
                const auto answers = model.answer(questions, options);
                for (size_t i = 0; i < rows.size(); ++i) {
                  nlohmann::ordered_json line = nlohmann::ordered_json::array();
                  for (const Answer& answer : answers[i])
                    line.push_back(answer_object(answer, rows[i]));
                  out.line(json_text(options.best == 1 ? line[0] : line));
                  if (!rows[i].id.empty()) predictions[rows[i].id] = answers[i][0].text;
                }
                out.flush();
              });
  out.finish();
  if (!arguments.predictions.empty())
    write_file_atomically(arguments.predictions, json_text(predictions, 1) + "\n");
  return 0;
}

}  // namespace

void add_qa(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<QaArguments>();
  CLI::App* command = app.add_subcommand("qa", "answers to questions as parts of a passage");
  add_predict_arguments(*command, *arguments);
  command
      ->add_option("--top", arguments->answers.best, "answers a question; above 1: a list a line")
      ->check(whole_number(1))
      ->capture_default_str();
  command->add_option("--max-answer", arguments->max_answer, "tokens of an answer")
      ->check(whole_number(1));
  command
      ->add_option("--max-length", arguments->answers.max_length,
                   "tokens of a window; 0: the model's longest")
      ->check(whole_number(0))
      ->capture_default_str();
  command->add_option("--stride", arguments->stride, "tokens that neighbouring windows share")
      ->check(whole_number(0));
  command->add_flag("--no-answer", arguments->no_answer, "a question may have no answer");
  command->add_option("--threshold", arguments->threshold,
                      "lead over the best answer that makes \"no answer\" the verdict");
  command->add_option("--predictions", arguments->predictions,
                      "also a JSON object {id: answer}, as the SQuAD scorers take it");
  command->footer(
      "Lines question<TAB>context, .jsonl with \"question\" and \"context\", or a SQuAD .json "
      "file. Places are counted in\ncode points and in bytes. What is not said comes from "
      "fine-tuning.\n\n"
      "Example:\n  tenfold qa --model runs/squad/best --input questions.jsonl --top 3");
  command->callback([=, &program] {
    program.action = [=, &program] { return answer_questions(*arguments, program); };
  });
}

}  // namespace tenfold::app

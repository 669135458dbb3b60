// Rows of texts in and their metrics out.
// Not here: the metrics (eval/text_scores.h), or answers to questions (score_answers.cpp).
#include "score_files.h"

#include <fmt/format.h>

#include <cmath>
#include <initializer_list>

#include "data/text_lines.h"
#include "eval/metric_table.h"
#include "eval/report.h"
#include "eval/text_scores.h"
#include "score_answers.h"
#include "support/fail.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

using TextsOfRow = std::vector<std::string>;

/// The texts of a JSON row: a string, an object with one of the keys, or lists of strings.
TextsOfRow texts_of_value(const nlohmann::json& value, std::initializer_list<const char*> keys) {
  if (value.is_string()) return {value.get<std::string>()};
  TextsOfRow texts;
  if (value.is_array()) {
    for (const auto& item : value) {
      if (!item.is_string()) return {};
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }
  for (const char* key : keys) {
    if (value.is_object() && value.contains(key)) return texts_of_value(value.at(key), {});
  }
  return {};
}

std::vector<TextsOfRow> read_texts(const std::filesystem::path& path,
                                   std::initializer_list<const char*> keys) {
  require(path == "-" || std::filesystem::exists(path), ErrorKind::data, "evaluate",
          "{} does not exist", path.string());
  data::TextLines lines(path);
  const bool objects = data::plain_name(path).extension() == ".jsonl";
  std::vector<TextsOfRow> rows;
  while (std::optional<std::string> line = lines.next()) {
    if (!objects) {
      rows.push_back({std::move(*line)});
      continue;
    }
    const auto [value, fault] = try_parse_json(*line, kRowLimits);
    require(fault.empty(), ErrorKind::data, "evaluate", "{}:{}: the row {}", lines.name(),
            lines.number(), fault);
    rows.push_back(texts_of_value(value, keys));
    require(!rows.back().empty(), ErrorKind::data, "evaluate",
            "{}:{}: the row holds no text (keys looked for: {})", lines.name(), lines.number(),
            fmt::join(keys, ", "));
  }
  require(!rows.empty(), ErrorKind::data, "evaluate", "{} holds no rows", path.string());
  return rows;
}

std::vector<std::string> read_predictions(const std::filesystem::path& path) {
  std::vector<std::string> texts;
  for (TextsOfRow& row : read_texts(path, {"text", "prediction", "hypothesis"})) {
    require(row.size() == 1, ErrorKind::data, "evaluate",
            "{}: row {} holds {} texts, expected one prediction", path.string(), texts.size() + 1,
            row.size());
    texts.push_back(std::move(row[0]));
  }
  return texts;
}

std::vector<TextsOfRow> read_references(const std::vector<std::filesystem::path>& paths,
                                        const std::filesystem::path& predictions, size_t rows) {
  std::vector<TextsOfRow> all(rows);
  for (const std::filesystem::path& path : paths) {
    std::vector<TextsOfRow> some = read_texts(path, {"text", "reference", "references"});
    require(some.size() == rows, ErrorKind::data, "evaluate", "{} holds {} rows, {} holds {}",
            predictions.string(), rows, path.string(), some.size());
    for (size_t i = 0; i < rows; ++i)
      all[i].insert(all[i].end(), std::make_move_iterator(some[i].begin()),
                    std::make_move_iterator(some[i].end()));
  }
  return all;
}

std::vector<std::string> metric_list(const std::string& text) {
  std::vector<std::string> names;
  for (std::string_view name : split(text, ',')) {
    if (trim(name) == "rouge") {
      for (const char* variant : {"rouge1", "rouge2", "rougeL", "rougeLsum"})
        names.emplace_back(variant);
    } else {
      names.emplace_back(trim(name));
    }
  }
  return names;
}

}  // namespace

void add_score_files(CLI::App& command, ScoredFiles& files) {
  CLI::Option* predictions = command.add_option(
      "--predictions", files.predictions,
      "in place of a model: a text a line, *.jsonl, or for SQuAD {\"id\": \"answer\", "
      "...}");
  command
      .add_option("--references", files.references,
                  "right texts for the rows of --predictions (several files: several a row), or "
                  "questions as SQuAD's *.json")
      ->needs(predictions);
  command
      .add_option("--metrics", files.metrics,
                  "of texts: bleu, chrf, chrf++, rouge1, rouge2, rougeL, rougeLsum, rouge (all)")
      ->needs(predictions)
      ->capture_default_str();
  command
      .add_option("--tokens", files.tokens,
                  "words of BLEU: 13a, intl, or none for words between blanks")
      ->needs(predictions)
      ->capture_default_str();
  command.add_flag("--lowercase", files.lowercase, "BLEU and chrF do not look at case")
      ->needs(predictions);
  command.add_flag("--stem", files.stem, "ROUGE compares Porter's stems (English)")
      ->needs(predictions);
}

ModelScores score_files(const std::filesystem::path& predictions, const ScoredFiles& files) {
  if (data::plain_name(files.references[0]).extension() == ".json") {
    require(files.references.size() == 1, ErrorKind::usage, "evaluate",
            "--references: expected one SQuAD file, got {} files", files.references.size());
    return score_answers(predictions, files.references[0]);
  }
  ModelScores scores;
  scores.compared = metric_list(files.metrics);
  const eval::TextScoreOptions options{
      .tokens = eval::parse_bleu_tokens(files.tokens),
      .stemming = files.stem ? eval::Stemming::porter : eval::Stemming::none,
      .lowercase = files.lowercase};
  const std::vector<std::string> texts = read_predictions(predictions);
  const auto references = read_references(files.references, predictions, texts.size());
  scores.resampled = eval::text_scores_of(texts, references, scores.compared, options);
  scores.rows = static_cast<int64_t>(texts.size());
  scores.figures = {{"task", "texts"}, {"examples", scores.rows}};
  const auto values = scores.resampled(std::vector<uint32_t>(texts.size(), 1));
  for (size_t m = 0; m < values.size(); ++m) scores.figures[scores.compared[m]] = values[m];
  return scores;
}

std::string metrics_text() {
  const auto bound = [](double value) {
    return std::isinf(value) ? std::string("any") : fmt::format("{:g}", value);
  };
  eval::Table table;
  table.columns = {{"metric", eval::Align::left},
                   {"of", eval::Align::left},
                   {"better", eval::Align::left},
                   {"range", eval::Align::left},
                   {"what it says", eval::Align::left}};
  for (const eval::MetricInfo& metric : eval::metric_table()) {
    table.rows.push_back({std::string(metric.name), std::string(eval::name_of(metric.input)),
                          metric.higher_is_better ? "higher" : "lower",
                          bound(metric.low) + " .. " + bound(metric.high),
                          std::string(metric.summary)});
  }
  return eval::text_table(table);
}

}  // namespace tenfold::app

// Tables, Markdown and JSON of a study's results.
// Not here: the figures themselves (results.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/metric_table.h"
#include "eval/report.h"
#include "study/results.h"
#include "support/strings.h"

namespace tenfold::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDecimals = 4;
constexpr size_t kMostColumns = 5;  // of figures in the table of variants
constexpr const char* kNothing = "–";

std::string values_text(const std::vector<double>& values) {
  if (values.empty()) return kNothing;
  const auto summary = eval::mean_deviation(values);
  return eval::mean_text(summary.mean, summary.deviation, kDecimals, summary.count);
}

std::string difference_text(const std::optional<PairedDifference>& to_baseline) {
  if (!to_baseline) return kNothing;
  std::string text = fmt::format("{:+.{}f}", to_baseline->difference, kDecimals);
  if (to_baseline->half_width)
    text += fmt::format(" ± {:.{}f}", *to_baseline->half_width, kDecimals);
  return text;
}

std::string p_text(std::optional<double> p) {
  if (!p) return kNothing;
  return *p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", *p);
}

/// The first row of the best mean, whichever way the first column's metric counts.
std::optional<size_t> best_row(const Results& results) {
  std::optional<size_t> best;
  const double sign = eval::lower_is_better(results.columns[0].metric) ? -1 : 1;
  for (size_t r = 0; r < results.rows.size(); ++r) {
    const auto& mean = results.rows[r].mean;
    if (mean && (!best || sign * *mean > sign * *results.rows[*best].mean)) best = r;
  }
  return best;
}

Json number_or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

Json comparison_json(const std::optional<PairedDifference>& to_baseline) {
  if (!to_baseline) return nullptr;
  return {{"difference", to_baseline->difference},
          {"pairs", to_baseline->pairs},
          {"half_width", number_or_null(to_baseline->half_width)},
          {"p_value", number_or_null(to_baseline->p_value)}};
}

Json run_json(const PlannedRun& run, const Plan& plan, const RunRecord& record) {
  Json json = json_of(record);
  json.update({{"name", run.name},
               {"hash", run.hash},  // of runs without a record too
               {"command", name_of(run.command)},
               {"variant", plan.variants[run.variant].label},
               {"seed", run.seed},
               {"reused", record.reused},
               {"folder", record.folder.string()}});
  return json;
}

}  // namespace

std::string flops_text(double flops) { return flops > 0 ? fmt::format("{:.2e}", flops) : "0"; }

eval::Table result_table(const Results& results) {
  eval::Table table;
  table.columns = {{"variant", eval::Align::left}, {"runs"}};
  const bool few = results.columns.size() <= kMostColumns;
  if (few) {
    for (const ResultColumn& column : results.columns)
      table.columns.push_back({column.task + " " + column.metric});
  }
  const bool several = results.columns.size() > 1;
  if (several) table.columns.push_back({"mean"});
  if (results.rows.size() > 1) {
    table.columns.push_back({"to baseline"});
    table.columns.push_back({"p"});
  }
  for (const char* title : {"FLOPs", "CPU time", "tokens"}) table.columns.push_back({title});
  for (const ResultRow& row : results.rows) {
    std::vector<std::string> cells{row.label, fmt::format("{}/{}", row.finished, row.wanted)};
    if (few) {
      for (const auto& values : row.values) cells.push_back(values_text(values));
    }
    if (several)
      cells.push_back(row.mean ? fmt::format("{:.{}f}", *row.mean, kDecimals) : kNothing);
    if (results.rows.size() > 1) {
      cells.push_back(difference_text(row.to_baseline));
      cells.push_back(p_text(row.to_baseline ? row.to_baseline->p_value : std::nullopt));
    }
    cells.push_back(flops_text(row.flops));
    cells.push_back(human_duration(row.cpu_seconds));
    cells.push_back(human_count(row.tokens));
    table.rows.push_back(std::move(cells));
  }
  table.best_row = best_row(results);
  return table;
}

eval::Table task_table(const Results& results) {
  eval::Table table;
  if (results.columns.size() <= kMostColumns) return table;
  table.columns = {{"task", eval::Align::left}, {"metric", eval::Align::left}};
  for (const ResultRow& row : results.rows) table.columns.push_back({row.label});
  for (size_t c = 0; c < results.columns.size(); ++c) {
    std::vector<std::string> cells{results.columns[c].task, results.columns[c].metric};
    for (const ResultRow& row : results.rows) cells.push_back(values_text(row.values[c]));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

eval::Table trouble_table(const Plan& plan, const std::vector<RunRecord>& records) {
  eval::Table table;
  table.columns = {
      {"run", eval::Align::left}, {"state", eval::Align::left}, {"reason", eval::Align::left}};
  for (size_t r = 0; r < plan.runs.size(); ++r) {
    if (records[r].state == State::finished) continue;
    table.rows.push_back({plan.runs[r].name, name_of(records[r].state), records[r].error});
  }
  return table;
}

std::vector<eval::Table> tables_of(const StudyFile& file, const Plan& plan,
                                   const std::vector<RunRecord>& records) {
  const Results results = summarize(file, plan, records);
  std::vector<eval::Table> tables;
  const auto add = [&tables](const char* caption, eval::Table table) {
    if (table.rows.empty()) return;
    table.caption = caption;
    tables.push_back(std::move(table));
  };
  add("Tasks", task_table(results));
  add("Result", result_table(results));
  add("Without a result", trouble_table(plan, records));
  return tables;
}

std::string markdown_table(const eval::Table& table) {
  const auto cell = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '|') out += '\\';
      out += c == '\n' ? ' ' : c;
    }
    return out;
  };
  std::string text = "|", rule = "|";
  for (const eval::Column& column : table.columns) {
    text += " " + cell(column.title) + " |";
    rule += column.align == eval::Align::left ? "---|" : "---:|";
  }
  text += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    text += "|";
    for (size_t c = 0; c < table.columns.size(); ++c)
      text += " " + (c < row.size() ? cell(row[c]) : std::string()) + " |";
    text += "\n";
  }
  return text;
}

std::string how_compared(const Results& results) {
  std::string text =
      "Mean ± standard deviation over seeds. FLOPs, CPU time and tokens are those of all runs a "
      "row "
      "stands on, its pre-training included.";
  if (results.rows.size() > 1) {
    text +=
        " 'To baseline' is the mean difference over pairs of equal seed and task with its 95 % "
        "interval, p that of Student's paired t-test.";
  }
  return text;
}

std::string results_markdown(const StudyFile& file, const Plan& plan,
                             const std::vector<RunRecord>& records) {
  const Results results = summarize(file, plan, records);
  std::string text = fmt::format("# {}\n\n", file.title);
  if (!file.question.empty()) text += file.question + "\n\n";
  for (const eval::Table& table : tables_of(file, plan, records))
    text += fmt::format("## {}\n\n{}\n", table.caption, markdown_table(table));
  return text + how_compared(results) + "\n";
}

std::string results_json(const StudyFile& file, const Plan& plan,
                         const std::vector<RunRecord>& records) {
  const Results results = summarize(file, plan, records);
  Json json{{"title", file.title}, {"question", file.question}};
  for (const ResultRow& row : results.rows) {
    Json variant{{"label", row.label}};
    for (size_t c = 0; c < results.columns.size(); ++c) {
      const auto summary = eval::mean_deviation(row.values[c]);
      variant["figures"].push_back(
          {{"task", results.columns[c].task},
           {"metric", results.columns[c].metric},
           {"mean", summary.count > 0 ? Json(summary.mean) : Json()},
           {"deviation", summary.count > 1 ? Json(summary.deviation) : Json()},
           {"values", row.values[c]}});
    }
    variant["mean"] = number_or_null(row.mean);
    variant["to_baseline"] = comparison_json(row.to_baseline);
    variant["flops"] = row.flops;
    variant["cpu_seconds"] = row.cpu_seconds;
    variant["tokens"] = row.tokens;
    json["variants"].push_back(std::move(variant));
  }
  for (size_t r = 0; r < plan.runs.size(); ++r)
    json["runs"].push_back(run_json(plan.runs[r], plan, records[r]));
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tenfold::study

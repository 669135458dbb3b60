// Gathers run folders and evaluation files into the table and the page of `tenfold report`.
// Not here: parsing the command line beyond its compound values, or drawing.
#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/metric_table.h"
#include "eval/metrics.h"
#include "eval/report.h"
#include "run_pictures.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

constexpr uint64_t kLongestEvaluation = 64 << 20;

/// One row of the table: for each metric the values of its runs.
struct ReportRow {
  std::string group;
  std::vector<std::vector<double>> values;  // [metric][run]
};

double number_of(std::string_view text, std::string_view whole) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), ErrorKind::usage, "report",
          "expected a number after ':' in '{}'", whole);
  return value;
}

nlohmann::json evaluation_of(const FineTunedRun& run) {
  const auto json =
      nlohmann::json::parse(read_file(run.evaluation, kLongestEvaluation), nullptr, false);
  require(json.is_object(), ErrorKind::data, run.evaluation.string(),
          "expected a JSON object of metrics");
  return json;
}

/// The metrics asked for, or the usual ones that the first evaluation has.
std::vector<std::string> shown_metrics(const ReportSpec& spec,
                                       const std::vector<nlohmann::json>& evaluations) {
  if (!spec.metrics.empty() || evaluations.empty()) return spec.metrics;
  std::vector<std::string> found;
  for (const char* name : {"accuracy", "f1", "f1_macro", "mcc", "loss"}) {
    const auto at = evaluations[0].find(name);
    if (at != evaluations[0].end() && at->is_number()) found.emplace_back(name);
  }
  return found;
}

std::vector<ReportRow> rows_of_runs(const ReportSpec& spec,
                                    const std::vector<nlohmann::json>& evaluations,
                                    const std::vector<std::string>& metrics) {
  std::vector<ReportRow> rows;
  for (size_t i = 0; i < spec.runs.size(); ++i) {
    auto row = std::find_if(rows.begin(), rows.end(),
                            [&](const ReportRow& r) { return r.group == spec.runs[i].group; });
    if (row == rows.end()) {
      rows.push_back({spec.runs[i].group, std::vector<std::vector<double>>(metrics.size())});
      row = rows.end() - 1;
    }
    for (size_t m = 0; m < metrics.size(); ++m) {
      const auto value = evaluations[i].find(metrics[m]);
      require(value != evaluations[i].end() && value->is_number(), ErrorKind::data,
              spec.runs[i].evaluation.string(), "expected a number '{}'", metrics[m]);
      row->values[m].push_back(value->get<double>());
    }
  }
  return rows;
}

ReportRow row_of_fixed(const FixedRow& fixed, const std::vector<std::string>& metrics) {
  ReportRow row{fixed.group, std::vector<std::vector<double>>(metrics.size())};
  for (size_t m = 0; m < metrics.size(); ++m) {
    for (const auto& [name, value] : fixed.metrics) {
      if (name == metrics[m]) row.values[m].push_back(value);
    }
  }
  return row;
}

eval::Table table_of(const std::vector<ReportRow>& rows, const std::vector<std::string>& metrics) {
  eval::Table table;
  table.columns = {{"model", eval::Align::left}, {"runs"}};
  for (const std::string& metric : metrics) table.columns.push_back({metric});
  double best = -INFINITY;
  for (const ReportRow& row : rows) {
    const size_t runs = row.values.empty() ? 0 : row.values[0].size();
    std::vector<std::string> cells{row.group, fmt::format("{}", runs)};
    for (const auto& values : row.values) {
      const auto summary = eval::mean_deviation(values);
      cells.push_back(values.empty()
                          ? "–"
                          : eval::mean_text(summary.mean, summary.deviation, 4, summary.count));
    }
    if (runs > 0) {
      const double mean = eval::mean_deviation(row.values[0]).mean;
      const double merit = eval::lower_is_better(metrics[0]) ? -mean : mean;
      if (merit > best) {
        best = merit;
        table.best_row = table.rows.size();
      }
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

/// By how much the first group leads each other one, with the half-width of two standard errors
/// over seeds.
std::string lead_lines(const std::vector<ReportRow>& rows, const std::string& metric) {
  std::string out;
  for (size_t r = 1; r < rows.size(); ++r) {
    if (rows[0].values[0].empty() || rows[r].values[0].empty()) continue;
    const auto first = eval::mean_deviation(rows[0].values[0]);
    const auto other = eval::mean_deviation(rows[r].values[0]);
    const double gain = (first.mean - other.mean) * (eval::lower_is_better(metric) ? -1 : 1);
    const double error =
        std::sqrt(first.deviation * first.deviation / static_cast<double>(first.count) +
                  other.deviation * other.deviation / static_cast<double>(other.count));
    const std::string spread =
        first.count > 1 ? fmt::format(" (± {:.4f}, two standard errors over seeds)", 2 * error)
                        : "";
    out += fmt::format("{} {} {} by {:.4f} {}{}\n", rows[0].group, gain >= 0 ? "leads" : "trails",
                       rows[r].group, std::abs(gain), metric, spread);
  }
  return out;
}

std::vector<eval::Chart> charts_of(const ReportSpec& spec) {
  std::vector<eval::Chart> charts;
  if (!spec.pretraining.empty()) {
    eval::Chart chart{"Pre-training loss", "step", "loss", {}};
    add_curve(chart, "training", "", spec.pretraining, "loss");
    add_curve(chart, "validation", "", spec.pretraining, "eval/loss");
    if (!chart.curves.empty()) charts.push_back(std::move(chart));
  }
  for (const auto& [key, title] :
       {std::pair("loss", "Fine-tuning loss"),
        std::pair("eval/loss", "Validation loss while fine-tuning"),
        std::pair("eval/accuracy", "Validation accuracy while fine-tuning")}) {
    eval::Chart chart{
        title, "step", std::string(key).ends_with("accuracy") ? "accuracy" : "loss", {}};
    for (const FineTunedRun& run : spec.runs) {
      if (!run.run.empty()) add_curve(chart, run.group, "seed " + run.seed, run.run, key);
    }
    if (!chart.curves.empty()) charts.push_back(std::move(chart));
  }
  return charts;
}

std::vector<eval::SettingsList> all_settings(const ReportSpec& spec) {
  std::vector<eval::SettingsList> lists{settings_of("Pre-training", spec.pretraining)};
  std::vector<std::string> seen;
  for (const FineTunedRun& run : spec.runs) {
    if (std::find(seen.begin(), seen.end(), run.group) != seen.end()) continue;
    seen.push_back(run.group);
    lists.push_back(
        settings_of(fmt::format("Fine-tuning: {} (seed {})", run.group, run.seed), run.run));
  }
  std::erase_if(lists, [](const eval::SettingsList& list) { return list.entries.empty(); });
  return lists;
}

}  // namespace

FineTunedRun parse_fine_tuned(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.rfind(':', equals);
  require(equals != std::string::npos && colon != std::string::npos && colon > 0, ErrorKind::usage,
          "report", "expected GROUP:SEED=RUN[,EVALUATION], got '{}'", text);
  const std::string paths = text.substr(equals + 1);
  const size_t comma = paths.find(',');
  FineTunedRun run{text.substr(0, colon),
                   text.substr(colon + 1, equals - colon - 1),
                   paths.substr(0, comma),
                   {}};
  run.evaluation = comma == std::string::npos ? run.run / "evaluation.json"
                                              : std::filesystem::path(paths.substr(comma + 1));
  return run;
}

FixedRow parse_fixed_row(const std::string& text) {
  const size_t equals = text.find('=');
  require(equals != std::string::npos && equals > 0, ErrorKind::usage, "report",
          "expected GROUP=METRIC:VALUE[,METRIC:VALUE...], got '{}'", text);
  FixedRow row{text.substr(0, equals), {}};
  for (std::string_view part : split(std::string_view(text).substr(equals + 1), ',')) {
    const size_t colon = part.find(':');
    require(colon != std::string_view::npos, ErrorKind::usage, "report",
            "expected METRIC:VALUE in '{}'", text);
    row.metrics.emplace_back(part.substr(0, colon), number_of(part.substr(colon + 1), text));
  }
  return row;
}

std::string make_report(const ReportSpec& spec) {
  std::vector<nlohmann::json> evaluations;
  for (const FineTunedRun& run : spec.runs) evaluations.push_back(evaluation_of(run));
  const auto metrics = shown_metrics(spec, evaluations);
  require(!metrics.empty(), ErrorKind::usage, "report",
          "nothing to show: no runs and no metrics are given");
  auto rows = rows_of_runs(spec, evaluations, metrics);
  for (const FixedRow& fixed : spec.fixed) rows.push_back(row_of_fixed(fixed, metrics));
  const eval::Table table = table_of(rows, metrics);
  const std::string leads = lead_lines(rows, metrics[0]);
  if (!spec.output.empty()) {
    eval::Report page;
    page.title = spec.title;
    page.summary = spec.summary;
    for (std::string_view line : split(trim(leads), '\n')) {
      if (!line.empty())
        page.summary += fmt::format("{}{}.", page.summary.empty() ? "" : " ", line);
    }
    page.tables = {table};
    page.tables[0].caption = "Result";
    page.charts = charts_of(spec);
    page.settings = all_settings(spec);
    page.commands = spec.commands;
    page.footer = fmt::format("Written by tenfold {}.", TENFOLD_VERSION);
    write_file_atomically(spec.output, eval::html_page(page));
  }
  return eval::text_table(table) + (leads.empty() ? "" : "\n" + leads);
}

}  // namespace tenfold::app

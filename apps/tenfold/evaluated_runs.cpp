// Finding models, adding up their figures, and the table.
// Not here: the bootstrap (eval/bootstrap.h).
#include "evaluated_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "eval/metric_table.h"
#include "eval/metrics.h"
#include "eval/report.h"
#include "json_text.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

constexpr const char* kRunsWhere = "evaluate";
constexpr std::string_view kSeedFolder = "seed-";

bool holds_model(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "config.json");
}

/// RUN/seed-1, RUN/seed-2, ..., by number; what is called seed-something-else comes last.
std::vector<std::filesystem::path> seed_folders(const std::filesystem::path& run) {
  std::vector<std::pair<uint64_t, std::filesystem::path>> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(run, failed)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || !name.starts_with(kSeedFolder)) continue;
    uint64_t number = UINT64_MAX;
    std::from_chars(name.data() + kSeedFolder.size(), name.data() + name.size(), number);
    found.emplace_back(number, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::filesystem::path> folders;
  for (auto& [number, path] : found) folders.push_back(std::move(path));
  return folders;
}

/// Figures that are metrics, in their order.
std::vector<std::string> metric_names(const Figures& figures) {
  std::vector<std::string> names;
  for (const auto& [name, value] : figures.items()) {
    if (value.is_number_float() || value.is_null()) names.push_back(name);
  }
  return names;
}

double figure_of(const Figures& figures, const std::string& name) {
  const auto found = figures.find(name);
  return found == figures.end() || !found->is_number() ? std::nan("") : found->get<double>();
}

void require_comparable(const Named& a, const Named& b) {
  const auto& [path, scores] = a;
  const auto& [other_path, other] = b;
  require(scores.figures.at("task") == other.figures.at("task"), ErrorKind::data, kRunsWhere,
          "{} is for {}, {} for {}: they cannot be compared", path.string(),
          json_text(scores.figures.at("task")), other_path.string(),
          json_text(other.figures.at("task")));
  require(scores.labels == other.labels, ErrorKind::data, kRunsWhere,
          "{} has the labels {}, {} has {}: they cannot be compared", path.string(),
          fmt::join(scores.labels, ", "), other_path.string(), fmt::join(other.labels, ", "));
  require(scores.rows == other.rows && scores.compared == other.compared, ErrorKind::data,
          kRunsWhere, "{} was scored on {} rows, {} on {}: they cannot be compared", path.string(),
          scores.rows, other_path.string(), other.rows);
}

/// Means and deviations over the models; other figures where all agree.
Figures figures_of_side(const std::vector<Named>& models) {
  Figures side, deviation, runs = Figures::array();
  side["models"] = models.size();
  const Figures& first = models[0].second.figures;
  for (const auto& [name, value] : first.items()) {
    if (value.is_number_float() || value.is_null()) {
      std::vector<double> values;
      for (const Named& model : models) values.push_back(figure_of(model.second.figures, name));
      const eval::MeanDeviation spread = eval::mean_deviation(values);
      side[name] = spread.mean;
      deviation[name] = spread.deviation;
    } else if (std::all_of(models.begin(), models.end(), [&](const Named& model) {
                 const auto found = model.second.figures.find(name);
                 return found != model.second.figures.end() && *found == value;
               })) {
      side[name] = value;
    }
  }
  for (const auto& [path, scores] : models) {
    Figures run{{"model", path.string()}};
    for (const auto& [name, value] : scores.figures.items()) {
      if (value.is_number_float() || value.is_null()) run[name] = value;
    }
    runs.push_back(std::move(run));
  }
  if (models.size() > 1) side["deviation"] = deviation;
  side["runs"] = runs;
  return side;
}

std::vector<eval::WeightedScores> resampled_of(const std::vector<Named>& models) {
  std::vector<eval::WeightedScores> out;
  for (const Named& model : models) out.push_back(model.second.resampled);
  return out;
}

Figures differences_of(const std::vector<Named>& models, const std::vector<Named>& baseline,
                       int64_t draws) {
  const ModelScores& first = models[0].second;
  Figures differences = Figures::object();
  if (first.compared.empty()) return differences;
  const auto results = eval::paired_bootstrap(first.rows, resampled_of(baseline),
                                              resampled_of(models), {.draws = draws});
  for (size_t m = 0; m < results.size(); ++m) {
    const eval::BootstrapResult& result = results[m];
    differences[first.compared[m]] = {{"difference", result.difference},
                                      {"low", result.low},
                                      {"high", result.high},
                                      {"p_value", result.p_value}};
    if (result.undefined > 0) differences[first.compared[m]]["undefined_draws"] = result.undefined;
  }
  return differences;
}

int decimals_of(const std::string& name) {
  const eval::MetricInfo* metric = eval::find_metric(name);
  return metric == nullptr ? 4 : metric->decimals;
}

std::string spread_text(const Figures& side, const std::string& name) {
  const double mean = figure_of(side, name);
  if (std::isnan(mean)) return "undefined";
  const double deviation = side.contains("deviation") ? figure_of(side.at("deviation"), name) : 0;
  return eval::mean_text(mean, deviation, decimals_of(name), side.at("models").get<int64_t>());
}

std::vector<std::string> difference_cells(const Figures& figures, const std::string& name) {
  const int decimals = decimals_of(name);
  const auto found = figures.at("difference").find(name);
  if (found == figures.at("difference").end()) {
    const double gap = figure_of(figures, name) - figure_of(figures.at("baseline"), name);
    return {std::isnan(gap) ? "undefined" : fmt::format("{:+.{}f}", gap, decimals), "", ""};
  }
  const double difference = figure_of(*found, "difference");
  if (std::isnan(difference)) return {"undefined", "", ""};
  return {fmt::format("{:+.{}f}", difference, decimals),
          fmt::format("{:+.{}f} .. {:+.{}f}", figure_of(*found, "low"), decimals,
                      figure_of(*found, "high"), decimals),
          fmt::format("{:.4f}", figure_of(*found, "p_value"))};
}

std::string count_text(const Figures& side) {
  const auto count = side.at("models").get<int64_t>();
  return fmt::format("{} model{}", count, count == 1 ? "" : "s");
}

std::string comparison_text(const Figures& figures) {
  const bool compared = figures.contains("baseline");
  eval::Table table;
  table.columns = {{"metric", eval::Align::left}, {"mean ± sd"}};
  if (compared) {
    table.columns[1].title = "model";
    for (const char* title : {"baseline", "difference", "95 % interval", "p"})
      table.columns.push_back({title});
  }
  for (const std::string& name : metric_names(figures)) {
    std::vector<std::string> row = {name, spread_text(figures, name)};
    if (compared) {
      row.push_back(spread_text(figures.at("baseline"), name));
      for (std::string& cell : difference_cells(figures, name)) row.push_back(std::move(cell));
    }
    table.rows.push_back(std::move(row));
  }
  std::string out = eval::text_table(table);
  out += fmt::format("\n{}, {} examples; {}", figures.at("task").get<std::string>(),
                     json_text(figures.value("examples", Figures(0))), count_text(figures));
  if (compared) {
    out += fmt::format(", baseline {}", count_text(figures.at("baseline")));
    if (!figures.at("difference").empty())
      out += fmt::format("; paired bootstrap over the examples, {} draws, p two-sided",
                         json_text(figures.at("draws")));
  }
  return out + "\n";
}

}  // namespace

std::vector<std::filesystem::path> models_of_run(const std::filesystem::path& run) {
  if (holds_model(run)) return {run};
  for (const char* name : {"best", "latest"}) {
    if (holds_model(run / name)) return {run / name};
  }
  std::vector<std::filesystem::path> models;
  for (const std::filesystem::path& folder : seed_folders(run)) {
    const auto found = models_of_run(folder);
    models.insert(models.end(), found.begin(), found.end());
  }
  if (models.empty()) models.push_back(run);
  return models;
}

std::vector<std::filesystem::path> models_of_runs(const std::vector<std::filesystem::path>& runs,
                                                  int64_t seeds) {
  std::vector<std::filesystem::path> models;
  for (const std::filesystem::path& run : runs) {
    const auto found = models_of_run(run);
    models.insert(models.end(), found.begin(), found.end());
  }
  if (seeds == 0) return models;
  require(static_cast<int64_t>(models.size()) >= seeds, ErrorKind::usage, kRunsWhere,
          "--seeds {}: {} has {} (expected RUN/seed-1, RUN/seed-2, ... or several --model)", seeds,
          runs[0].string(),
          models.size() == 1 ? "one model" : fmt::format("{} models", models.size()));
  models.resize(static_cast<size_t>(seeds));
  return models;
}

void add_comparison(CLI::App& command, ComparedRuns& runs) {
  command
      .add_option("--seeds", runs.seeds,
                  "models of --model: the first N, an error where there are fewer; 0: all")
      ->check(whole_number(0))
      ->capture_default_str();
  command.add_option("--baseline", runs.baseline,
                     "RUN (or several) to compare with, by a paired bootstrap over the examples");
  command.add_option("--draws", runs.draws, "resamples of the bootstrap")
      ->check(whole_number(1))
      ->capture_default_str();
}

Figures figures_of_runs(const std::vector<Named>& models, const std::vector<Named>& baseline,
                        int64_t draws) {
  for (const auto* side : {&models, &baseline}) {
    for (const Named& model : *side) require_comparable(model, models[0]);
  }
  if (models.size() == 1 && baseline.empty()) return models[0].second.figures;
  Figures figures = figures_of_side(models);
  if (baseline.empty()) return figures;
  figures["baseline"] = figures_of_side(baseline);
  figures["difference"] = differences_of(models, baseline, draws);
  if (!figures["difference"].empty()) figures["draws"] = draws;
  return figures;
}

std::string figures_text(const Figures& figures) {
  if (figures.contains("runs")) return comparison_text(figures);
  std::string out;
  for (const auto& [name, value] : figures.items()) {
    const std::string text = value.is_number_float() ? fmt::format("{:.4f}", value.get<double>())
                             : value.is_string()     ? value.get<std::string>()
                             : value.is_null()       ? "undefined"
                                                     : json_text(value);
    out += fmt::format("{:<18} {}\n", name, text);
  }
  return out;
}

}  // namespace tenfold::app

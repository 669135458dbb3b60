// Gathering the figures of a plan's runs into rows.
// Not here: their tables and texts (results_text.cpp).
#include "study/results.h"

#include <algorithm>
#include <map>
#include <set>

namespace tenfold::study {
namespace {

std::vector<ResultColumn> columns_of(const StudyFile& file) {
  if (file.tasks.empty()) return {{"pre-training", file.pretraining_metric()}};
  std::vector<ResultColumn> columns;
  for (const Task& task : file.tasks) columns.push_back({task.name, file.metric_of(task)});
  return columns;
}

/// A figure by (column, seed) for each variant.
using Figures = std::vector<std::map<std::pair<size_t, int64_t>, double>>;

Figures figures_of(const Plan& plan, const std::vector<RunRecord>& records,
                   const std::vector<ResultColumn>& columns) {
  Figures figures(plan.variants.size());
  for (const Cell& cell : plan.cells) {
    const RunRecord& record = records[cell.run];
    const auto found = record.metrics.find(columns[cell.task].metric);
    if (record.state == State::finished && found != record.metrics.end())
      figures[cell.variant][{cell.task, cell.seed}] = found->second;
  }
  return figures;
}

/// What the row's runs took, those whose weights they start from included.
void add_costs(ResultRow& row, size_t variant, const Plan& plan,
               const std::vector<RunRecord>& records) {
  std::set<size_t> runs;
  for (const Cell& cell : plan.cells) {
    if (cell.variant != variant) continue;
    ++row.wanted;
    runs.insert(cell.run);
    const PlannedRun& run = plan.runs[cell.run];
    if (run.parent && !run.fresh) runs.insert(*run.parent);
  }
  for (const size_t run : runs) {
    row.flops += records[run].flops;
    row.cpu_seconds += records[run].cpu_seconds;
    row.tokens += records[run].tokens;
  }
}

std::optional<PairedDifference> compare_to_baseline(const Figures& figures, size_t variant) {
  std::vector<double> before, after;
  for (const auto& [place, value] : figures[variant]) {
    const auto base = figures[0].find(place);
    if (base == figures[0].end()) continue;
    before.push_back(base->second);
    after.push_back(value);
  }
  if (before.empty()) return std::nullopt;
  return paired_difference(before, after);
}

}  // namespace

Results summarize(const StudyFile& file, const Plan& plan, const std::vector<RunRecord>& records) {
  Results results{.columns = columns_of(file), .rows = {}};
  const Figures figures = figures_of(plan, records, results.columns);
  for (size_t v = 0; v < plan.variants.size(); ++v) {
    ResultRow row;
    row.label = plan.variants[v].shown();
    row.values.resize(results.columns.size());
    for (const auto& [place, value] : figures[v]) row.values[place.first].push_back(value);
    row.finished = static_cast<int64_t>(figures[v].size());
    double sum = 0;
    bool whole = true;
    for (const auto& values : row.values) {
      sum += eval::mean_deviation(values).mean;
      whole = whole && !values.empty();
    }
    if (whole) row.mean = sum / static_cast<double>(row.values.size());
    if (v > 0) row.to_baseline = compare_to_baseline(figures, v);
    add_costs(row, v, plan, records);
    results.rows.push_back(std::move(row));
  }
  return results;
}

}  // namespace tenfold::study

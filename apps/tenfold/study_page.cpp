// Gathering a page from records and run folders.
// Not here: the runs.
#include "study_page.h"

#include <set>

#include "eval/report.h"
#include "run_pictures.h"
#include "study/results.h"
#include "support/files.h"

namespace tenfold::app {
namespace {

/// One chart of `key` with a curve a run; curves of one variant share a colour.
void add_chart(std::vector<eval::Chart>& charts, const std::string& title, std::string_view key,
               const StudySetup& setup, const std::vector<study::RunRecord>& records,
               const std::vector<size_t>& runs) {
  eval::Chart chart{title, "step", "loss", {}};
  for (const size_t run : runs) {
    const study::PlannedRun& planned = setup.plan.runs[run];
    const auto& folder = records[run].folder;
    if (folder.empty() || !std::filesystem::exists(folder / "metrics.jsonl")) continue;
    const std::string& label = setup.plan.variants[planned.variant].label;
    add_curve(chart, label, planned.seed > 0 ? fmt::format("seed {}", planned.seed) : "", folder,
              key);
  }
  if (!chart.curves.empty()) charts.push_back(std::move(chart));
}

/// The planned runs a test holds for.
std::vector<size_t> runs_where(const study::Plan& plan,
                               const std::function<bool(const study::PlannedRun&)>& holds) {
  std::vector<size_t> found;
  for (size_t run = 0; run < plan.runs.size(); ++run) {
    if (holds(plan.runs[run])) found.push_back(run);
  }
  return found;
}

std::vector<eval::Chart> study_charts(const StudySetup& setup,
                                      const std::vector<study::RunRecord>& records) {
  std::vector<eval::Chart> charts;
  const auto add_both = [&](const std::string& what, const std::vector<size_t>& runs) {
    add_chart(charts, what + ": validation loss", "eval/loss", setup, records, runs);
    add_chart(charts, what + ": training loss", "loss", setup, records, runs);
  };
  add_both("Pre-training", runs_where(setup.plan, [](const study::PlannedRun& run) {
             return run.command == study::Command::pretrain;
           }));
  for (size_t t = 0; t < setup.file.tasks.size(); ++t) {
    add_both(setup.file.tasks[t].name, runs_where(setup.plan, [t](const study::PlannedRun& run) {
               return run.command == study::Command::finetune && run.task == t;
             }));
  }
  return charts;
}

/// Options of the first run of each stage: the baseline's.
std::vector<eval::SettingsList> study_settings(const StudySetup& setup,
                                               const std::vector<study::RunRecord>& records) {
  std::vector<eval::SettingsList> lists;
  std::set<std::string> seen;
  for (size_t run = 0; run < setup.plan.runs.size(); ++run) {
    const study::PlannedRun& planned = setup.plan.runs[run];
    const bool fine_tunes = planned.command == study::Command::finetune;
    const std::string stage = fine_tunes ? setup.file.tasks[planned.task].name : study::kPretrain;
    if (!seen.insert(stage).second || records[run].folder.empty()) continue;
    lists.push_back(settings_of("Baseline: " + stage, records[run].folder));
  }
  std::erase_if(lists, [](const eval::SettingsList& list) { return list.entries.empty(); });
  return lists;
}

}  // namespace

void write_results(const StudySetup& setup, const std::vector<study::RunRecord>& records) {
  const auto& out = setup.arguments.out;
  write_file_atomically(out / "results.md",
                        study::results_markdown(setup.file, setup.plan, records));
  write_file_atomically(out / "results.json", study::results_json(setup.file, setup.plan, records));
}

void write_study_page(const StudySetup& setup, const std::vector<study::RunRecord>& records,
                      const std::string& command) {
  const study::Results results = study::summarize(setup.file, setup.plan, records);
  eval::Report page;
  page.title = setup.file.title;
  page.summary =
      setup.file.question + (setup.file.question.empty() ? "" : " ") + study::how_compared(results);
  page.tables = study::tables_of(setup.file, setup.plan, records);
  page.charts = study_charts(setup, records);
  page.settings = study_settings(setup, records);
  page.commands = {command};
  page.footer = fmt::format("Written by tenfold {}.", TENFOLD_VERSION);
  write_file_atomically(setup.arguments.out / "report.html", eval::html_page(page));
}

}  // namespace tenfold::app

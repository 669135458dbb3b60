// `tenfold report`: what pre-training was worth, from run folders and evaluation files, as a table
// and an HTML page. Not here: how pages and charts are drawn (eval/report.h), or running anything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tenfold::app {

/// One fine-tuned run: its group is a row of the table ("pre-trained", "from scratch"), its seed
/// one of the row's runs.
struct FineTunedRun {
  std::string group;
  std::string seed;
  std::filesystem::path run;  ///< folder with metrics.jsonl; empty: no curve
  std::filesystem::path
      evaluation;  ///< JSON object of metrics, as `tenfold evaluate --json` prints it
};

/// A row without runs, such as the majority class.
struct FixedRow {
  std::string group;
  std::vector<std::pair<std::string, double>> metrics;  ///< metric name -> value
};

struct ReportSpec {
  std::string title;
  std::string summary;
  std::filesystem::path pretraining;  ///< run folder with metrics.jsonl; empty: none
  std::vector<FineTunedRun> runs;     ///< rows in order of first appearance
  std::vector<FixedRow> fixed;
  std::vector<std::string>
      metrics;  ///< keys of the evaluation files to show; empty: accuracy, f1_macro, loss if there
  std::vector<std::string> commands;
  std::filesystem::path output;  ///< HTML file; empty: only the table
};

/// "GROUP:SEED=RUN[,EVALUATION]"; the evaluation file defaults to RUN/evaluation.json.
/// Error{usage}.
FineTunedRun parse_fine_tuned(const std::string& text);

/// "GROUP=metric:value[,metric:value...]". Error{usage}.
FixedRow parse_fixed_row(const std::string& text);

/// Writes the page and returns the table as text for stdout. The first group is compared with the
/// others: a line below the table says by how much it leads, with the interval over seeds.
/// Error{data} naming what is missing.
std::string make_report(const ReportSpec& spec);

}  // namespace tenfold::app

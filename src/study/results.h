// What a study found: figures of each variant over seeds, against the baseline, and what they took.
// Not here: running anything, or pages and charts (eval/report.h draws them).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/metrics.h"
#include "eval/report.h"
#include "study/paired_difference.h"
#include "study/plan.h"
#include "study/run_record.h"

namespace tenfold::study {

/// One column of figures: a task's metric, or that of the pre-training.
struct ResultColumn {
  std::string task, metric;
};

/// One row of the table.
struct ResultRow {
  std::string label;
  std::vector<std::vector<double>> values;        ///< [column][finished seed]
  std::optional<double> mean;                     ///< over columns, of their means; all are there
  std::optional<PairedDifference> to_baseline;    ///< pairs are equal seeds and columns
  int64_t finished = 0, wanted = 0;               ///< runs that give figures
  double flops = 0, cpu_seconds = 0, tokens = 0;  ///< of the runs behind the row, each once
};

struct Results {
  std::vector<ResultColumn> columns;
  std::vector<ResultRow> rows;  ///< of Plan::variants
};

/// `records` are those of Plan::runs.
Results summarize(const StudyFile& file, const Plan& plan, const std::vector<RunRecord>& records);

/// A row a variant: its figures (where they are few: see task_table), the comparison with the
/// baseline, and what it took.
eval::Table result_table(const Results& results);

/// A row a task and a column a variant, for more figures than a row of result_table holds; no rows
/// where they stand there.
eval::Table task_table(const Results& results);

/// All tables that have rows, captioned: of tasks, of variants, of runs without a result. They go
/// to stdout, results.md and the page.
std::vector<eval::Table> tables_of(const StudyFile& file, const Plan& plan,
                                   const std::vector<RunRecord>& records);

/// Runs that failed, were stopped or left out, with the reason; no rows where there are none.
eval::Table trouble_table(const Plan& plan, const std::vector<RunRecord>& records);

/// A table in Markdown, its caption left out.
std::string markdown_table(const eval::Table& table);

/// results.md and results.json.
std::string results_markdown(const StudyFile& file, const Plan& plan,
                             const std::vector<RunRecord>& records);
std::string results_json(const StudyFile& file, const Plan& plan,
                         const std::vector<RunRecord>& records);

/// How the last columns of the table came about, in a sentence or two.
std::string how_compared(const Results& results);

/// "1.23e15".
std::string flops_text(double flops);

}  // namespace tenfold::study

// Tables and loss curves of runs, as text for a terminal and as one HTML page that needs nothing
// else. Not here: which runs a report compares (apps/tenfold/report.h), or computing metrics
// (metrics.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenfold::eval {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
};

/// A table of finished texts; every row has one cell per column (fewer: the rest stays blank).
struct Table {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::optional<size_t> best_row;  ///< shown bold
};

/// One line of a chart. Curves of one group share a colour; the legend names each group once.
struct Curve {
  std::string group;
  std::string name;  ///< shown when the pointer rests on the line, e.g. "seed 2"
  std::vector<std::pair<double, double>>
      points;  ///< x rising; non-finite values interrupt the line
};

struct Chart {
  std::string title;
  std::string x_label = "step";
  std::string y_label = "loss";
  std::vector<Curve> curves;
};

/// A named list of settings, e.g. one run's effective options.
struct SettingsList {
  std::string title;
  std::vector<std::pair<std::string, std::string>> entries;
};

/// What the page shows, top to bottom; empty parts are left out.
struct Report {
  std::string title;
  std::string summary;  ///< one paragraph below the title
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<SettingsList> settings;
  std::vector<std::string> commands;  ///< to repeat it, one a line
  std::string footer;                 ///< versions, date, machine
};

/// One self-contained page: no scripts, no outside resources, light and dark. All texts are
/// escaped.
std::string html_page(const Report& report);

/// One chart as an inline SVG element (colours from the page's style sheet).
std::string svg_chart(const Chart& chart);

/// Columns padded to equal width with two blanks between, a rule below the heading, a line end
/// after each row.
std::string text_table(const Table& table);

/// (step, `key`) pairs of a metrics.jsonl file, in the order of the file; "eval/loss" is member
/// "loss" of "eval". Lines without a number under either name are passed over, and so is a last
/// line cut short by a crash. Error{data} naming file and line for any other line that is not a
/// JSON object.
std::vector<std::pair<double, double>> read_curve(const std::filesystem::path& metrics_file,
                                                  std::string_view key,
                                                  std::string_view x_key = "step");

/// At most `limit` points: means of equal runs of neighbours (x and y alike).
std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points,
                                               size_t limit);

/// "0.8213 ± 0.0042", or without the second part for a single value.
std::string mean_text(double mean, double deviation, int decimals, int64_t count);

}  // namespace tenfold::eval

// The terminal's side of a report: aligned tables, figures with their spread, and curves read from
// metrics.jsonl. Not here: HTML (report_html.cpp) and drawing (report_chart.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "eval/report.h"
#include "support/fail.h"
#include "support/files.h"

namespace tenfold::eval {
namespace {

constexpr uint64_t kLongestMetricsFile = uint64_t{4} << 30;

/// Characters a terminal shows, every code point being one wide.
size_t shown_width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded_cell(const std::string& text, size_t width, Align align) {
  const std::string blanks(width - shown_width(text), ' ');
  return align == Align::left ? text + blanks : blanks + text;
}

std::string cell_of(const std::vector<std::string>& row, size_t column) {
  return column < row.size() ? row[column] : std::string();
}

/// The value under `key` itself, or under its parts between slashes ("eval/loss": member "loss" of
/// "eval").
std::optional<double> number_under(const nlohmann::json& object, std::string_view key) {
  if (!object.is_object()) return std::nullopt;
  if (const auto whole = object.find(key); whole != object.end()) {
    return whole->is_number() ? std::optional(whole->get<double>()) : std::nullopt;
  }
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto part = object.find(key.substr(0, slash));
  return part == object.end() ? std::nullopt : number_under(*part, key.substr(slash + 1));
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string text_table(const Table& table) {
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    size_t width = shown_width(table.columns[c].title);
    for (const auto& row : table.rows) width = std::max(width, shown_width(cell_of(row, c)));
    widths.push_back(width);
  }
  const auto line = [&](const auto& text_of_column) {
    std::string out;
    for (size_t c = 0; c < widths.size(); ++c) {
      if (c) out += "  ";
      out += padded_cell(text_of_column(c), widths[c], table.columns[c].align);
    }
    return without_trailing_blanks(out) + "\n";
  };
  std::string out = table.caption.empty() ? "" : table.caption + "\n";
  out += line([&](size_t c) { return table.columns[c].title; });
  out += line([&](size_t c) { return std::string(widths[c], '-'); });
  for (const auto& row : table.rows) out += line([&](size_t c) { return cell_of(row, c); });
  return out;
}

std::string mean_text(double mean, double deviation, int decimals, int64_t count) {
  return count > 1 ? fmt::format("{:.{}f} ± {:.{}f}", mean, decimals, deviation, decimals)
                   : fmt::format("{:.{}f}", mean, decimals);
}

std::vector<std::pair<double, double>> read_curve(const std::filesystem::path& metrics_file,
                                                  std::string_view key, std::string_view x_key) {
  const std::string text = read_file(metrics_file, kLongestMetricsFile);
  std::vector<std::pair<double, double>> points;
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    ++number;
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) {
      const auto x = number_under(json, x_key), y = number_under(json, key);
      if (x && y) points.emplace_back(*x, *y);
    } else if (!line.empty() && end < text.size()) {
      fail(ErrorKind::data, metrics_file.string(), "line {} is not a JSON object", number);
    }
    begin = end + 1;
  }
  return points;
}

std::vector<std::pair<double, double>> thinned(const std::vector<std::pair<double, double>>& points,
                                               size_t limit) {
  if (points.size() <= limit || limit == 0) return points;
  std::vector<std::pair<double, double>> out;
  for (size_t k = 0; k < limit; ++k) {
    const size_t begin = k * points.size() / limit, end = (k + 1) * points.size() / limit;
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) {
      x += points[i].first;
      y += points[i].second;
    }
    const double count = static_cast<double>(end - begin);
    out.emplace_back(x / count, y / count);
  }
  return out;
}

}  // namespace tenfold::eval

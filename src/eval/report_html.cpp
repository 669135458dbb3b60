// A report as one HTML page with its style sheet inside; light and dark follow the reader's
// setting. Not here: the charts' geometry (report_chart.cpp) and what is reported (the caller's
// business).
#include <fmt/format.h>

#include "eval/html.h"
#include "eval/report.h"

namespace tenfold::eval {
namespace {

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6676; --line: #dfe4ea; --page: #fff;
  --card: #f7f8fa;
  --c0: #2563c9; --c1: #d9690f; --c2: #1a8f62; --c3: #a13fb4; --c4: #b58a00; --c5: #c2334d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #9aa5b5; --line: #333b47;
  --page: #14181f;
  --card: #1c222b; --c0: #6ea3ff; --c1: #ff9d4d; --c2: #4fcf9b; --c3: #d58be6; --c4: #e2bd45;
  --c5: #ff7d92; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui,
  sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 40px 24px 60px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4em; }
h2 { font-size: 1.1rem; margin: 2.2em 0 .7em; }
p.summary { margin: 0 0 1.4em; color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45em .6em; text-align: right; white-space: nowrap; border-bottom: 1px solid
  var(--line); }
th { font-weight: 600; color: var(--soft); font-size: .85rem; border-bottom-width: 2px; }
.left { text-align: left; white-space: normal; min-width: 12em; }
tr.best td { font-weight: 650; }
figure { margin: 0; padding: 14px 14px 8px; background: var(--card); border: 1px solid
  var(--line); border-radius: 8px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); }
svg .axis { stroke: var(--soft); }
svg path { fill: none; stroke-width: 1.8; stroke-linejoin: round; opacity: .9; }
.legend { margin: 6px 0 2px; text-align: center; font-size: .88rem; color: var(--soft); }
.legend span { margin: 0 .8em; white-space: nowrap; }
.legend i { display: inline-block; width: 1.3em; height: 3px; border-radius: 2px; margin-right:
  .5em; vertical-align: middle; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); }
.b0 { background: var(--c0); } .b1 { background: var(--c1); } .b2 { background: var(--c2); }
.b3 { background: var(--c3); } .b4 { background: var(--c4); } .b5 { background: var(--c5); }
details { margin: .5em 0; } summary { cursor: pointer; font-weight: 600; }
details td { padding: .2em .8em; font-size: .88rem; text-align: left; white-space: normal;
  overflow-wrap: anywhere; }
details td:first-child { color: var(--soft); width: 45%; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px;
  overflow-x: auto;
  font: .85rem/1.6 ui-monospace, monospace; }
footer { margin-top: 3em; color: var(--soft); font-size: .85rem; }
)";

std::string cell_html(const char* tag, const Column& column, const std::string& text) {
  return fmt::format("<{}{}>{}</{}>", tag, column.align == Align::left ? " class=\"left\"" : "",
                     html_escaped(text), tag);
}

std::string table_html(const Table& table) {
  std::string out =
      table.caption.empty() ? "" : fmt::format("<h2>{}</h2>\n", html_escaped(table.caption));
  out += "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const Column& column : table.columns) out += cell_html("th", column, column.title);
  out += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    out += table.best_row == r ? "<tr class=\"best\">" : "<tr>";
    for (size_t c = 0; c < table.columns.size(); ++c) {
      out += cell_html("td", table.columns[c], c < table.rows[r].size() ? table.rows[r][c] : "");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string settings_html(const std::vector<SettingsList>& lists) {
  std::string out = "<h2>Settings</h2>\n";
  for (const SettingsList& list : lists) {
    out += fmt::format("<details><summary>{}</summary><table>\n", html_escaped(list.title));
    for (const auto& [name, value] : list.entries) {
      out +=
          fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", html_escaped(name), html_escaped(value));
    }
    out += "</table></details>\n";
  }
  return out;
}

std::string commands_html(const std::vector<std::string>& commands) {
  std::string out = "<h2>Commands to repeat it</h2>\n<pre>";
  for (const std::string& command : commands) out += html_escaped(command) + "\n";
  return out + "</pre>\n";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string html_page(const Report& report) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body><main>\n<h1>{}</h1>\n",
                     html_escaped(report.title), kStyle, html_escaped(report.title));
  if (!report.summary.empty())
    out += fmt::format("<p class=\"summary\">{}</p>\n", html_escaped(report.summary));
  for (const Table& table : report.tables) out += table_html(table);
  for (const Chart& chart : report.charts) {
    out += fmt::format("<h2>{}</h2>\n<figure>{}</figure>\n", html_escaped(chart.title),
                       svg_chart(chart));
  }
  if (!report.settings.empty()) out += settings_html(report.settings);
  if (!report.commands.empty()) out += commands_html(report.commands);
  if (!report.footer.empty())
    out += fmt::format("<footer>{}</footer>\n", html_escaped(report.footer));
  return out + "</main></body>\n</html>\n";
}

}  // namespace tenfold::eval

// Reading a run folder for a page.
// Not here: drawing.
#include "run_pictures.h"

#include "support/files.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

constexpr uint64_t kLongestConfig = 4 << 20;

}  // namespace

void add_curve(eval::Chart& chart, const std::string& group, const std::string& name,
               const std::filesystem::path& run, std::string_view key) {
  auto points = eval::read_curve(run / "metrics.jsonl", key);
  if (!points.empty()) chart.curves.push_back({group, name, std::move(points)});
}

/// config.toml is as the program writes it: tables and one-line values.
eval::SettingsList settings_of(const std::string& title, const std::filesystem::path& run) {
  eval::SettingsList list{title, {}};
  const auto file = run / "config.toml";
  if (run.empty() || !std::filesystem::exists(file)) return list;
  std::string table;
  const std::string text = read_file(file, kLongestConfig);
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    const size_t equals = line.find('=');
    if (line.starts_with('[')) {
      table = std::string(trim(line.substr(1, line.find(']') - 1))) + ".";
      if (table.starts_with('[')) table.erase(0, 1);
    } else if (!line.starts_with('#') && equals != std::string_view::npos) {
      list.entries.emplace_back(table + std::string(trim(line.substr(0, equals))),
                                std::string(trim(line.substr(equals + 1))));
    }
  }
  return list;
}

}  // namespace tenfold::app

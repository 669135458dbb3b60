// What a page shows of one run folder: curves out of metrics.jsonl and the effective options.
// Not here: pages and charts themselves (eval/report.h), or which runs belong together.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "eval/report.h"

namespace tenfold::app {

/// Adds the curve of `key` ("loss", "eval/loss") where RUN/metrics.jsonl has one.
void add_curve(eval::Chart& chart, const std::string& group, const std::string& name,
               const std::filesystem::path& run, std::string_view key);

/// The run's effective options (RUN/config.toml); no entries where there is none.
eval::SettingsList settings_of(const std::string& title, const std::filesystem::path& run);

}  // namespace tenfold::app

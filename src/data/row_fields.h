// Cutting a line into its fields: tabs without quoting, or commas with it.
// Not here: what the fields mean.
#pragma once

#include <string>
#include <vector>

#include "data/text_lines.h"

namespace tenfold::data {

/// What stands between tabs.
std::vector<std::string> tab_fields(const std::string& line);

/// Fields of a CSV record that begins with `line`; a quoted field may hold commas, doubled quotes
/// and line ends (taken from `lines`). Error{data} "FILE:LINE: ..." where its quote never closes.
std::vector<std::string> comma_fields(std::string line, TextLines& lines);

}  // namespace tenfold::data

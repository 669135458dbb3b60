// The options that say where the parts of a task's rows stand, for the commands that read them.
// Not here: what they mean (data/task.h).
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "data/task.h"

namespace tenfold::app {

/// Adds --format, --text-column, --pair-column, --encoding, --skip-bad and, with labels required,
/// --label-column and --label-separator. `columns` must outlive the parsing.
void add_column_options(CLI::App& command, data::TaskColumns& columns, data::Labels labels);

/// The words that make another process read with the same columns.
std::vector<std::string> words_of(const data::TaskColumns& columns);

}  // namespace tenfold::app

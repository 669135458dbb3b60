// The command line as a whole: global options, every command, and what to say where it is wrong.
// Not here: options of single commands (command_*.cpp).
#pragma once

#include "command.h"

namespace tenfold::app {

/// Declares the global options and all commands; `program` must outlive `app`.
void declare_command_line(CLI::App& app, Program& program);

/// One line on what is wrong, after CLI11 refused the command line. An unknown word comes before
/// anything that is missing: a mistyped option is the likelier reason for both.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error);

}  // namespace tenfold::app

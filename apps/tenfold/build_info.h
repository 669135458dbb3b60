// What this program was built from and with.
// Not here: the machine it runs on (command_doctor.cpp).
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tenfold::app {

/// Rows (name, value): version, commit ("unknown" outside a repository, "... with changes" from an
/// edited tree), compiler, flags, libtorch.
std::vector<std::pair<std::string, std::string>> build_info();

/// The rows as lines without a last line end.
std::string build_info_text();

}  // namespace tenfold::app

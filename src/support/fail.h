// Throwing a tenfold::Error with a formatted message: `fail(ErrorKind::data, "shards", "...",
// args)`. Not here: printing, logging, or recovery.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "tenfold/error.h"

namespace tenfold {

/// Throws Error{kind, where, message}; the message says what was expected, what came and, where a
/// user can mend it, how. One line, no trailing full stop.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, std::string_view where, fmt::format_string<Args...> format,
                       Args&&... args) {
  throw Error(kind, std::string(where), fmt::format(format, std::forward<Args>(args)...));
}

/// `fail` unless the condition holds. The arguments are formatted only on failure.
template <typename... Args>
void require(bool holds, ErrorKind kind, std::string_view where, fmt::format_string<Args...> format,
             Args&&... args) {
  if (!holds) fail(kind, where, format, std::forward<Args>(args)...);
}

}  // namespace tenfold

// Where the library says what a person may want to know; the program decides where it goes.
// Not here: results (stdout, the program's), errors (exceptions) and progress (progress.h).
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace tenfold {

/// Takes lines without a line end. Passed by reference to what needs it; implementations are
/// thread-safe.
class Log {
 public:
  virtual ~Log() = default;

  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::info, fmt::format(format, std::forward<Args>(args)...));
  }

  template <typename... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    line(Level::warning, fmt::format(format, std::forward<Args>(args)...));
  }

 protected:
  enum class Level { info, warning };
  virtual void line(Level level, std::string_view text) = 0;
};

/// Swallows every line: the library's default.
Log& silent_log();

}  // namespace tenfold

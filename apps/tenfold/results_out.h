// Where a command's results go: standard output, a file that appears when it is whole, or a device
// or pipe that is written to as it is. Not here: their format.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

#include "support/files.h"

namespace tenfold::app {

/// Help of --output.
inline constexpr const char* kOutputHelp =
    "file for the JSON lines, whole or not at all; a device or FIFO is written to as it is "
    "(default: standard output)";

class ResultsOut {
 public:
  /// Empty, "-" or /dev/stdout: standard output. What is there and is no regular file (a FIFO,
  /// /dev/null) is opened and written to; links are followed. Error{run} where it cannot be opened.
  explicit ResultsOut(const std::filesystem::path& path);
  ~ResultsOut();
  ResultsOut(const ResultsOut&) = delete;
  ResultsOut& operator=(const ResultsOut&) = delete;

  /// Adds a line. std::system_error where standard output fails, Error{run} for other targets.
  void line(std::string_view text);
  /// Hands over what was written so far, except to a file that must appear whole.
  void flush();
  /// Call once, last.
  void finish();

 private:
  void check(bool written) const;

  std::filesystem::path path_;
  std::unique_ptr<AtomicFile> file_;
  std::FILE* stream_ = nullptr;
};

}  // namespace tenfold::app

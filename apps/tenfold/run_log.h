// RUN/log.txt: what a training run said, with the time of every line.
// Not here: the terminal (support/terminal.h), or figures (metrics.jsonl).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "support/files.h"
#include "support/terminal.h"

namespace tenfold::app {

/// While it lives it gets every line of the terminal. Lines wait until open() says where the run
/// folder is; without that nothing is written. A line that cannot be written (a full disk) is
/// dropped: the log must not end a run. Thread-safe.
class RunLog {
 public:
  explicit RunLog(Terminal& terminal);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  /// Appends to RUN/log.txt from here on, what waited first. Error{run} where it cannot be opened.
  void open(const std::filesystem::path& run);

  /// Adds a line that only the file gets: the outcome, or the error that ended the run.
  void add(std::string_view text);

 private:
  void write(std::string_view line);

  Terminal& terminal_;
  std::mutex mutex_;
  std::string waiting_;
  std::unique_ptr<AppendFile> file_;
};

/// Runs `action` with a log; an error that leaves it is the log's last line.
int with_run_log(Terminal& terminal, const std::function<int(RunLog&)>& action);

}  // namespace tenfold::app

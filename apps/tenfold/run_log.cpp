// Stamping lines and appending them.
// Not here: which lines there are.
#include "run_log.h"

#include <fmt/chrono.h>

#include <chrono>
#include <exception>

namespace tenfold::app {
namespace {

/// "2026-01-31T12:00:00Z ", in UTC: runs move between machines.
std::string time_stamp() {
  const auto now = std::chrono::system_clock::now();
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ} ",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

}  // namespace

RunLog::RunLog(Terminal& terminal) : terminal_(terminal) {
  terminal_.copy_lines_to([this](std::string_view line) { write(line); });
}

RunLog::~RunLog() { terminal_.copy_lines_to({}); }

void RunLog::open(const std::filesystem::path& run) {
  const std::lock_guard lock(mutex_);
  file_ = std::make_unique<AppendFile>(run / "log.txt");
  if (!waiting_.empty()) file_->append(waiting_);
  waiting_.clear();
}

void RunLog::add(std::string_view text) { write(std::string(text) + "\n"); }

void RunLog::write(std::string_view line) {
  const std::string stamped = time_stamp() + std::string(line);
  const std::lock_guard lock(mutex_);
  if (!file_) {
    waiting_ += stamped;
    return;
  }
  try {
    file_->append(stamped);
  } catch (const Error&) {
    // Dropped, as promised: what fills the disk shows in the next checkpoint, which is not dropped.
  }
}

int with_run_log(Terminal& terminal, const std::function<int(RunLog&)>& action) {
  RunLog log(terminal);
  try {
    return action(log);
  } catch (const std::exception& error) {
    const std::string text = error.what();
    log.add("error: " + text.substr(0, text.find('\n')));
    throw;
  }
}

}  // namespace tenfold::app

// Stopping on request: SIGINT and SIGTERM ask a run to save and end.
// Not here: what is saved, and the exit code (the program's).
#pragma once

#include <csignal>

namespace tenfold {

/// While it lives, the first SIGINT or SIGTERM is only noted and the second ends the process at
/// once with 128 + signal. The earlier handlers come back at destruction. One at a time in a
/// process (Error{internal}).
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const { return signal_number() != 0; }

  /// The signal that came, or 0.
  int signal_number() const;

  /// 128 + signal number (130, 143), or 0.
  int exit_code() const { return requested() ? 128 + signal_number() : 0; }

 private:
  struct sigaction interrupt_before_;
  struct sigaction terminate_before_;
};

}  // namespace tenfold

// The handlers behind StopSignal: they touch lock-free atomics and _exit only.
// Not here: threads or pipes.
#include "support/signals.h"

#include <unistd.h>

#include <atomic>

#include "support/fail.h"

namespace tenfold {
namespace {

// A handler can reach process-wide state only.
std::atomic<int> stop_signal_number{0};
std::atomic<bool> stop_signal_alive{false};
static_assert(std::atomic<int>::is_always_lock_free);

void note_stop_signal(int number) {
  int none = 0;
  if (!stop_signal_number.compare_exchange_strong(none, number)) ::_exit(128 + number);
}

}  // namespace

StopSignal::StopSignal() {
  require(!stop_signal_alive.exchange(true), ErrorKind::internal, "signals",
          "two StopSignal objects at once");
  stop_signal_number = 0;
  struct sigaction action {};
  action.sa_handler = note_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, &interrupt_before_);
  ::sigaction(SIGTERM, &action, &terminate_before_);
}

StopSignal::~StopSignal() {
  ::sigaction(SIGINT, &interrupt_before_, nullptr);
  ::sigaction(SIGTERM, &terminate_before_, nullptr);
  stop_signal_alive = false;
}

int StopSignal::signal_number() const { return stop_signal_number; }

}  // namespace tenfold

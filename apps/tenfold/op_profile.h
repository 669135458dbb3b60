// Where the time of a piece of work goes, by operator.
// Not here: the work, or clocks of the whole (bench_timer.h).
#pragma once

#include <functional>
#include <string>

namespace tenfold::app {

/// Runs `work` a few times to warm up and five times watched, and prints one line per operator to
/// stdout: its own time without that of operators it calls, per run and as a share, and its calls.
/// Nodes of the backward pass stand under their own names. Watching costs about a microsecond a
/// call.
void print_profile(const std::string& title, const std::function<void()>& work);

}  // namespace tenfold::app

// Log lines and a progress line together on one stream (stderr), on a terminal or in a file.
// Not here: results on stdout, and any decision of what is worth a line.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "support/clock.h"
#include "support/log.h"
#include "support/progress.h"

namespace tenfold {

/// What a stream can show.
struct TerminalTraits {
  bool redraws = false;  ///< a terminal: the progress line is drawn over itself
  bool colors = false;
  int width = 80;

  /// Of an open file: a terminal or not, its width; colours unless NO_COLOR is set or TERM is
  /// "dumb".
  static TerminalTraits of(int fd);
};

/// One progress line as text of at most `width` characters (0: any length), without escapes or a
/// line end. `seconds_left`: empty where it cannot be told.
std::string progress_text(const Progress& progress, double elapsed,
                          std::optional<double> seconds_left, int width);

/// A Log and a ProgressSink on one stream that do not disturb each other. On a terminal one line is
/// redrawn at most ten times a second; elsewhere a plain line comes every `line_seconds`.
/// Thread-safe. A stream that fails is ignored: progress must not end a run.
class Terminal final : public Log, public ProgressSink {
 public:
  using Write = std::function<void(std::string_view)>;
  using Clock = std::function<double()>;

  struct Options {
    TerminalTraits traits = {};
    double line_seconds = 30;
    bool quiet = false;  ///< no progress and no info lines; warnings stay
    Write write = {};    ///< where text goes
    /// Gets every log line with its line end as well, and progress every `line_seconds` unless
    /// quiet, e.g. for RUN/log.txt; may be empty. Must not throw.
    Write copy = {};
    Clock clock = monotonic_seconds;
  };

  explicit Terminal(Options options);

  /// On an open file such as STDERR_FILENO, with its own traits.
  static Options on(int fd);

  void update(const Progress& progress) override;
  void finish() override;

  /// Sets Options::quiet.
  void set_quiet(bool quiet);

  /// Sets or clears (empty) Options::copy.
  void copy_lines_to(Write copy);

 protected:
  void line(Level level, std::string_view text) override;

 private:
  void erase();
  std::optional<double> seconds_left(const Progress& progress, double now) const;

  Options options_;
  std::mutex mutex_;
  std::string drawn_;       // the line now on the screen, empty if none
  std::string last_;        // the newest line, drawn or not
  std::string task_;        // whose progress is shown
  double started_ = 0;      // when the task began
  double shown_at_ = 0;     // when a line was last shown
  double copied_at_ = 0;    // when progress was last copied
  int64_t first_done_ = 0;  // `done` of the first moment: a resumed task starts late
};

}  // namespace tenfold

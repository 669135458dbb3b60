// One stream for log lines and a redrawn progress line.
// Not here: colours beyond the warning's, or a screen library.
#include "support/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "support/strings.h"

namespace tenfold {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr int kBarWidth = 20;

std::string bar_text(double share) {
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
  return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", kBarWidth - filled);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

TerminalTraits TerminalTraits::of(int fd) {
  TerminalTraits traits;
  const bool dumb = environment("TERM") == "dumb";
  traits.redraws = ::isatty(fd) == 1 && !dumb;
  traits.colors = traits.redraws && environment("NO_COLOR").empty();
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) traits.width = size.ws_col;
  return traits;
}

std::string progress_text(const Progress& progress, double elapsed,
                          std::optional<double> seconds_left, int width) {
  std::string text = progress.task;
  if (progress.total > 0) {
    const double share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
    if (width >= 60) text += " " + bar_text(share);
    text += fmt::format(" {}/{} {}s", progress.done, progress.total, progress.unit);
  } else {
    text += fmt::format(" {} {}s", progress.done, progress.unit);
  }
  if (progress.loss) text += fmt::format("  loss {:.4f}", *progress.loss);
  if (progress.tokens_per_second)
    text += fmt::format("  {} tokens/s", human_count(*progress.tokens_per_second));
  text += fmt::format("  {}", human_duration(elapsed));
  if (seconds_left) text += fmt::format(", {} left", human_duration(*seconds_left));
  if (!progress.note.empty()) text += "  " + progress.note;
  if (width > 0 && text.size() > static_cast<size_t>(width))
    text.resize(static_cast<size_t>(width));
  return text;
}

Terminal::Terminal(Options options) : options_(std::move(options)) {}

Terminal::Options Terminal::on(int fd) {
  Options options;
  options.traits = TerminalTraits::of(fd);
  options.write = [fd](std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(fd, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return;
      text.remove_prefix(static_cast<size_t>(count));
    }
  };
  return options;
}

void Terminal::set_quiet(bool quiet) {
  const std::lock_guard lock(mutex_);
  options_.quiet = quiet;
}

void Terminal::copy_lines_to(Write copy) {
  const std::lock_guard lock(mutex_);
  options_.copy = std::move(copy);
}

std::optional<double> Terminal::seconds_left(const Progress& progress, double now) const {
  const auto gained = static_cast<double>(progress.done - first_done_);
  if (progress.total <= 0 || gained <= 0) return std::nullopt;
  return (now - started_) / gained *
         static_cast<double>(std::max<int64_t>(0, progress.total - progress.done));
}

void Terminal::update(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  if (options_.quiet) return;
  const double now = options_.clock();
  const bool first = progress.task != task_;
  if (first) {
    task_ = progress.task;
    started_ = now;
    first_done_ = progress.done;
  }
  const bool redraws = options_.traits.redraws;
  const bool due = now - shown_at_ >= (redraws ? kRedrawSeconds : options_.line_seconds);
  const bool complete = progress.total > 0 && progress.done >= progress.total;
  if (options_.copy && (first || complete || now - copied_at_ >= options_.line_seconds)) {
    copied_at_ = now;
    options_.copy(progress_text(progress, now - started_, seconds_left(progress, now), 0) + "\n");
  }
  last_ = progress_text(progress, now - started_, seconds_left(progress, now),
                        redraws ? options_.traits.width - 1 : 0);
  if (!first && !due && !complete) return;
  shown_at_ = now;
  if (redraws) {
    erase();
    drawn_ = last_;
    options_.write(drawn_);
  } else {
    options_.write(last_ + "\n");
    last_.clear();
  }
}

void Terminal::finish() {
  const std::lock_guard lock(mutex_);
  if (!drawn_.empty() || !last_.empty()) {
    if (options_.traits.redraws) erase();
    if (!last_.empty()) options_.write(last_ + "\n");
  }
  drawn_.clear();
  last_.clear();
  task_.clear();
}

void Terminal::line(Level level, std::string_view text) {
  const std::lock_guard lock(mutex_);
  const bool warning = level == Level::warning;
  const std::string plain = fmt::format("{}{}\n", warning ? "warning: " : "", text);
  if (options_.copy) options_.copy(plain);
  if (options_.quiet && !warning) return;
  const std::string redraw = drawn_;
  erase();
  if (warning && options_.traits.colors) {
    options_.write(fmt::format("\x1b[33mwarning:\x1b[0m {}\n", text));
  } else {
    options_.write(plain);
  }
  if (!redraw.empty()) options_.write(redraw);
  drawn_ = redraw;
}

void Terminal::erase() {
  if (drawn_.empty()) return;
  options_.write("\r\x1b[2K");
  drawn_.clear();
}

}  // namespace tenfold

// The sinks that show nothing.
// Not here: anything that writes (terminal.cpp).
#include "support/log.h"

#include "support/progress.h"

namespace tenfold {
namespace {

class SilentLog final : public Log {
 protected:
  void line(Level, std::string_view) override {}
};

class NoProgress final : public ProgressSink {
 public:
  void update(const Progress&) override {}
  void finish() override {}
};

}  // namespace

Log& silent_log() {
  static SilentLog log;
  return log;
}

ProgressSink& no_progress() {
  static NoProgress progress;
  return progress;
}

}  // namespace tenfold

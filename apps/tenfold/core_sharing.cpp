// One look a second.
// Not here: the rule (threads_beside).
#include "core_sharing.h"

#include <unistd.h>

#include "tensor/threads.h"

namespace tenfold::app {
namespace {

constexpr double kSecondsOfALook = 1.0;

}  // namespace

CoreSharing::CoreSharing(bool allowed, Log& log)
    : allowed_(allowed),
      log_(log),
      most_(threads()),
      machine_cores_(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN))) {}

void CoreSharing::before_step(int64_t) {
  if (most_ == 1 || load_.seconds() < kSecondsOfALook) return;
  const double foreign = load_.foreign_cores();
  load_.restart();
  const int fit = threads_beside(foreign, machine_cores_, most_);
  if (allowed_) {
    if (fit == threads()) return;
    log_.info("other processes hold {:.1f} cores: {} of {} threads from here on", foreign, fit,
              most_);
    set_threads(fit);
  } else if (fit < most_ && !hinted_) {
    hinted_ = true;
    log_.warn(
        "other processes hold {:.1f} of {} cores, and threads wait for one another: --threads {} "
        "or --set train.share_cores=true would be faster",
        foreign, machine_cores_, fit);
  }
}

}  // namespace tenfold::app

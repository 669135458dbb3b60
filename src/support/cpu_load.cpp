// Reads /proc/stat and getrusage.
// Not here: who acts on it.
#include "support/cpu_load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "support/clock.h"

namespace tenfold {
namespace {

/// CPU seconds spent by everything on this machine, stolen time included, idle and waiting left
/// out.
double machine_cpu_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  double busy = 0;
  for (int field = 0; field < 8; ++field) {
    double ticks = 0;
    file >> ticks;
    if (field != 3 && field != 4) busy += ticks;
  }
  return busy / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double own_cpu_seconds() {
  double seconds = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval& t : {usage.ru_utime, usage.ru_stime}) {
      seconds += static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    }
  }
  return seconds;
}

}  // namespace

CpuLoad::CpuLoad()
    : machine_(machine_cpu_seconds()), own_(own_cpu_seconds()), wall_(monotonic_seconds()) {}

double CpuLoad::seconds() const { return monotonic_seconds() - wall_; }

double CpuLoad::foreign_cores() const {
  return (machine_cpu_seconds() - machine_ - (own_cpu_seconds() - own_)) / seconds();
}

double CpuLoad::own_cores() const { return (own_cpu_seconds() - own_) / seconds(); }

int threads_beside(double foreign_cores, int machine_cores, int most) {
  const double left = std::round(machine_cores - foreign_cores);
  return static_cast<int>(std::clamp(left, 1.0, static_cast<double>(std::max(1, most))));
}

}  // namespace tenfold

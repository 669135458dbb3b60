// How much of the machine other processes use, and how many threads that leaves.
// Not here: what the processor can do (cpu.h), or setting thread counts (tensor/threads.h).
#pragma once

namespace tenfold {

/// CPU seconds that processes other than this one and its ended children have used since a first
/// moment, from /proc/stat; 0 where that cannot be read.
class CpuLoad {
 public:
  CpuLoad();
  double seconds() const;        ///< since construction or the last restart
  double foreign_cores() const;  ///< since then
  double own_cores() const;      ///< since then
  void restart() { *this = CpuLoad(); }

 private:
  double machine_;
  double own_;
  double wall_;
};

/// Threads that find a core of their own beside `foreign_cores` of others on a machine with
/// `machine_cores`: at least 1, at most `most`.
int threads_beside(double foreign_cores, int machine_cores, int most);

}  // namespace tenfold

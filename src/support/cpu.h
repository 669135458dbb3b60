// What the processor can do and how much of it this process may use.
// Not here: measuring its speed, or setting thread counts.
#pragma once

#include <filesystem>
#include <string>

namespace tenfold {

struct CpuInfo {
  std::string model;  ///< "AMD EPYC 9654 96-Core Processor"; "unknown" where it is not told
  bool avx2 = false;
  bool fma = false;
  bool avx512f = false;
  bool avx512_bf16 = false;
  bool avx512_vnni = false;
  bool amx_bf16 = false;
  bool amx_int8 = false;
  int logical_cores = 1;   ///< that the affinity mask allows
  int physical_cores = 1;  ///< behind those: hyper-threads of one core count once
  double quota_cores = 0;  ///< the cgroup's limit in cores; 0: none
  int usable_cores = 1;  ///< physical cores within the quota, at least 1: the default thread count
};

/// Asks the running system. `root` replaces "/" for reading /proc and /sys (tests).
CpuInfo read_cpu(const std::filesystem::path& root = "/");

}  // namespace tenfold

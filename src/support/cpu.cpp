// Reads /proc/cpuinfo, the affinity mask, core siblings in /sys and the cgroup's quota.
// Not here: the CPUID instruction, so that tests can bring their own files.
#include "support/cpu.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <vector>

#include "support/strings.h"

namespace tenfold {
namespace {

// Files of /proc and /sys tell no size, so they are streamed; one that is missing is empty.
std::string kernel_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return text.str();
}

std::string_view cpuinfo_value(std::string_view text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(key)) continue;
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && trim(line.substr(0, colon)) == key) {
      return trim(line.substr(colon + 1));
    }
  }
  return {};
}

std::vector<int> allowed_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

int count_physical(const std::filesystem::path& root, const std::vector<int>& cpus) {
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    const auto topology = root / fmt::format("sys/devices/system/cpu/cpu{}/topology", cpu);
    std::string siblings = kernel_text(topology / "core_cpus_list");
    if (siblings.empty()) siblings = kernel_text(topology / "thread_siblings_list");
    cores.insert(siblings.empty() ? fmt::format("cpu {}", cpu) : siblings);
  }
  return static_cast<int>(cores.size());
}

double parse_number(std::string_view text) {
  double value = -1;
  text = trim(text);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double quota_of(const std::filesystem::path& root) {
  const auto cgroup = root / "sys/fs/cgroup";
  const std::string unified = kernel_text(cgroup / "cpu.max");  // "max 100000" or "150000 100000"
  double quota = -1;
  double period = -1;
  if (!unified.empty()) {
    const auto parts = split(trim(unified), ' ');
    if (parts.size() == 2) {
      quota = parse_number(parts[0]);
      period = parse_number(parts[1]);
    }
  } else {
    quota = parse_number(kernel_text(cgroup / "cpu/cpu.cfs_quota_us"));
    period = parse_number(kernel_text(cgroup / "cpu/cpu.cfs_period_us"));
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

CpuInfo read_cpu(const std::filesystem::path& root) {
  CpuInfo info;
  const std::string text = kernel_text(root / "proc/cpuinfo");
  const std::string_view model = cpuinfo_value(text, "model name");
  info.model = model.empty() ? "unknown" : std::string(model);
  const std::string_view flags_line = cpuinfo_value(text, "flags");
  const auto flags = split(flags_line, ' ');
  const auto has = [&flags](std::string_view flag) {
    return std::find(flags.begin(), flags.end(), flag) != flags.end();
  };
  info.avx2 = has("avx2");
  info.fma = has("fma");
  info.avx512f = has("avx512f");
  info.avx512_bf16 = has("avx512_bf16");
  info.avx512_vnni = has("avx512_vnni");
  info.amx_bf16 = has("amx_bf16");
  info.amx_int8 = has("amx_int8");

  const std::vector<int> cpus = allowed_cpus();
  info.logical_cores = static_cast<int>(cpus.size());
  info.physical_cores = count_physical(root, cpus);
  info.quota_cores = quota_of(root);
  info.usable_cores = info.physical_cores;
  if (info.quota_cores > 0) {
    info.usable_cores =
        std::clamp(static_cast<int>(std::ceil(info.quota_cores)), 1, info.physical_cores);
  }
  return info;
}

}  // namespace tenfold

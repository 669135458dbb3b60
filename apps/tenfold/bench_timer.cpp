// The timing protocol and its guard against other processes.
// Not here: what is timed.
#include "bench_timer.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "support/clock.h"
#include "support/cpu_load.h"

namespace tenfold::app {
namespace {

constexpr double kGroupSeconds = 0.25;
constexpr double kLongCallSeconds = 5;
constexpr double kThreadSlack = 0.15;

struct GuardedGroup {
  CallGroup calls;
  double foreign_cores = 0;
  double own_cores = 0;
};

GuardedGroup timed_group(const std::function<void()>& work, int count) {
  const CpuLoad guard;
  GuardedGroup group;
  for (int i = 0; i < count; ++i) {
    const Stopwatch watch;
    work();
    group.calls.push_back(watch.seconds());
  }
  group.foreign_cores = guard.foreign_cores();
  group.own_cores = guard.own_cores();
  return group;
}

double four_decimals(double value) { return std::round(value * 1e4) / 1e4; }

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void report_guard(const BenchOptions& options, const std::string& name,
                  const std::vector<GuardedGroup>& done, size_t clean) {
  double foreign = 0, own = 0;
  for (const GuardedGroup& group : done) {
    foreign += group.foreign_cores / static_cast<double>(done.size());
    own = std::max(own, group.own_cores);
  }
  if (clean == done.size() && own <= options.threads + kThreadSlack) return;
  const nlohmann::ordered_json line = {{"case", options.name + "/" + name},
                                       {"peer", bench_peer(options)},
                                       {"threads", options.threads},
                                       {"groups", done.size()},
                                       {"clean", clean},
                                       {"foreign_cores", std::round(foreign * 100) / 100},
                                       {"own_cores", std::round(own * 100) / 100}};
  bench_remark("guard " + line.dump());
}

}  // namespace

bool BenchTimer::wants(const std::string& name) const {
  return options_.cases.empty() ||
         std::any_of(options_.cases.begin(), options_.cases.end(),
                     [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

std::vector<CallGroup> BenchTimer::time(const std::string& name,
                                        const std::function<void()>& work) const {
  const GuardedGroup first = timed_group(work, 1);
  const double each = first.calls[0];
  const int count = std::max(1, static_cast<int>(std::ceil(kGroupSeconds / each)));
  std::vector<GuardedGroup> done;
  if (each > std::max(options_.seconds, kLongCallSeconds)) done.push_back(first);
  const auto clean_count = [&] {
    return static_cast<size_t>(
        std::count_if(done.begin(), done.end(),
                      [](const GuardedGroup& group) { return group.foreign_cores <= kBusyCores; }));
  };
  const double end = monotonic_seconds() + (done.empty() ? options_.seconds : 0);
  while (clean_count() < static_cast<size_t>(options_.rounds) &&
         (done.empty() || monotonic_seconds() + each * count <= end)) {
    done.push_back(timed_group(work, count));
  }
  const size_t clean = clean_count();
  report_guard(options_, name, done, clean);
  std::vector<CallGroup> groups;
  for (const GuardedGroup& group : done) {
    if (clean == 0 || group.foreign_cores <= kBusyCores) groups.push_back(group.calls);
  }
  return groups;
}

void BenchTimer::rate(const std::string& name, const std::vector<CallGroup>& groups, double amount,
                      const std::string& metric, const std::string& unit) const {
  std::vector<double> rates;
  for (const CallGroup& group : groups) {
    const double seconds = std::accumulate(group.begin(), group.end(), 0.0);
    rates.push_back(amount * static_cast<double>(group.size()) / seconds);
  }
  emit(name, metric, unit, rates);
}

void BenchTimer::emit(const std::string& name, const std::string& metric, const std::string& unit,
                      const std::vector<double>& samples) const {
  emit_value(name, metric, unit, samples, median_of(samples));
}

void BenchTimer::emit_value(const std::string& name, const std::string& metric,
                            const std::string& unit, const std::vector<double>& samples,
                            double value) const {
  nlohmann::ordered_json line = {{"bench", options_.name},
                                 {"case", name},
                                 {"peer", bench_peer(options_)},
                                 {"version", TENFOLD_VERSION},
                                 {"threads", options_.threads},
                                 {"metric", metric},
                                 {"unit", unit},
                                 {"value", four_decimals(value)}};
  line["samples"] = nlohmann::ordered_json::array();
  for (double sample : samples) line["samples"].push_back(four_decimals(sample));
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

std::vector<double> all_calls(const std::vector<CallGroup>& groups) {
  std::vector<double> calls;
  for (const CallGroup& group : groups) calls.insert(calls.end(), group.begin(), group.end());
  return calls;
}

void bench_remark(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

double peak_mib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace tenfold::app

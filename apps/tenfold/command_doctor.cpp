// `tenfold doctor`: what this machine offers, how fast it multiplies, and what to do where it is
// slow. Not here: benchmarks of models (bench.h).
#include <unistd.h>

#include "build_info.h"
#include "command.h"
#include "data/wordnet.h"
#include "json_text.h"
#include "nn/onednn.h"
#include "support/clock.h"
#include "support/cpu.h"
#include "support/strings.h"
#include "tenfold/error.h"
#include "tensor/device.h"
#include "tensor/threads.h"
#include "tensor/torch.h"

namespace tenfold::app {
namespace {

constexpr double kSlowFp32 =
    20;  // GFLOP/s a thread below which something is wrong on a CPU with AVX2

/// Best rate of a product of the shape that encoders spend their time in.
double measure_product(at::ScalarType type) {
  torch::NoGradGuard no_gradient;
  const int64_t m = 1024, k = 768, n = 3072;
  const Tensor a = torch::ones({m, k}).to(type), b = torch::ones({k, n}).to(type);
  double best = 0;
  for (int round = 0; round < 6; ++round) {
    const double begin = monotonic_seconds();
    at::mm(a, b);
    best = std::max(best, 2e-9 * static_cast<double>(m * k * n) / (monotonic_seconds() - begin));
  }
  return best;
}

std::vector<std::string> advice(const CpuInfo& cpu, double fp32) {
  std::vector<std::string> lines;
  if (!cpu.avx2) lines.push_back("the CPU has no AVX2: expect a tenth of the usual speed");
  if (cpu.avx2 && fp32 < kSlowFp32 * threads()) {
    lines.push_back(fmt::format(
        "fp32 products are slow: another process may hold a core (see top); try --threads {}",
        std::max(1, threads() / 2)));
  }
  if (!cpu.avx512_bf16 && !cpu.amx_bf16)
    lines.push_back("no bf16 instructions: stay with float32 on this CPU");
  if (threads() > cpu.usable_cores) {
    lines.push_back(fmt::format("{} threads on {} usable cores: try --threads {}", threads(),
                                cpu.usable_cores, cpu.usable_cores));
  }
  if (!std::filesystem::exists(data::kWordNetFolder)) {
    lines.push_back("WordNet is not installed: the demo needs Debian's package wordnet-base");
  }
  return lines;
}

/// What opening the device says: its name, or why not.
std::string device_state(const std::string& name) {
  try {
    return parse_device(name).str();
  } catch (const Error& error) {
    return error.what();
  }
}

/// Whether --dtype bfloat16 is worth its name here.
std::string bfloat16_state() {
  return nn::onednn_computes_in(torch::kBFloat16) ? "fast: --dtype bfloat16 pays"
                                                  : "no instructions for it: refused on the CPU";
}

nlohmann::ordered_json machine() {
  const CpuInfo cpu = read_cpu();
  const double fp32 = measure_product(torch::kFloat32), bf16 = measure_product(torch::kBFloat16);
  const auto pages = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES));
  std::error_code ignored;
  const auto space = std::filesystem::space(std::filesystem::current_path(), ignored);
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [name, value] : build_info()) out[name] = value;
  out.update({{"cpu", cpu.model},
              {"avx2", cpu.avx2},
              {"avx512f", cpu.avx512f},
              {"avx512_bf16", cpu.avx512_bf16},
              {"amx_bf16", cpu.amx_bf16},
              {"cores", cpu.physical_cores},
              {"usable_cores", cpu.usable_cores},
              {"threads", threads()},
              {"bfloat16", bfloat16_state()},
              {"fp32_gflops", fp32},
              {"bf16_gflops", bf16},
              {"memory", human_bytes(pages * static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE)))},
              {"disk_free", human_bytes(space.available)},
              {"wordnet", std::filesystem::exists(data::kWordNetFolder)},
              {"cuda", device_state("cuda")},
              {"advice", advice(cpu, fp32)}});
  return out;
}

int examine(bool json) {
  const nlohmann::ordered_json out = machine();
  if (json) {
    fmt::print("{}\n", json_text(out));
    return 0;
  }
  for (const auto& [name, value] : out.items()) {
    if (name == "advice") continue;
    fmt::print("{:<14} {}\n", name,
               value.is_string()         ? value.get<std::string>()
               : value.is_number_float() ? fmt::format("{:.1f}", value.get<double>())
               : value.is_boolean()      ? (value.get<bool>() ? "yes" : "no")
                                         : json_text(value));
  }
  for (const auto& line : out["advice"]) fmt::print("note: {}\n", line.get<std::string>());
  return 0;
}

}  // namespace

void add_doctor(CLI::App& app, Program& program) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("doctor", "what this machine offers and what slows it down");
  command->add_flag("--json", *json, "one JSON object instead of lines");
  command->callback([=, &program] { program.action = [=] { return examine(*json); }; });
}

}  // namespace tenfold::app

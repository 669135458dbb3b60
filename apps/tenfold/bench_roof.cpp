// The speed of libtorch's own matrix products on this machine now.
// Not here: anything of tenfold's own.
#include <algorithm>

#include "bench_works.h"
#include "support/clock.h"

namespace tenfold::app {
namespace {

constexpr int64_t kRows = 2048, kInner = 768, kColumns = 3072;
constexpr double kFlops = 2e-9 * kRows * kInner * kColumns;

/// The product of one number format, on operands of its own.
std::function<void()> product(at::ScalarType type) {
  const bool whole = type == at::kChar;
  const auto operand = [&](int64_t rows, int64_t columns) {
    return whole ? torch::randint(-99, 99, {rows, columns}, type)
                 : torch::randn({rows, columns}).to(type);
  };
  return [whole, a = operand(kRows, kInner), b = operand(kInner, kColumns)] {
    whole ? at::_int_mm(a, b) : at::mm(a, b);
  };
}

}  // namespace

void bench_roof(const BenchTimer& timer) {
  constexpr size_t kSamplesShown = 30;
  const torch::NoGradGuard no_gradients;
  for (const auto& [name, type] :
       {std::pair("mm/fp32", torch::kFloat), std::pair("mm/bf16", torch::kBFloat16),
        std::pair("mm/int8", torch::kChar)}) {
    if (!timer.wants(name)) continue;
    const auto groups = timer.time(name, product(type));
    std::vector<double> rates;
    for (double seconds : all_calls(groups)) rates.push_back(kFlops / seconds);
    const double best = *std::max_element(rates.begin(), rates.end());
    rates.resize(std::min(rates.size(), kSamplesShown));
    timer.emit_value(name, "rate", "GFLOP/s", rates, best);
  }
}

double product_roof(at::ScalarType type) {
  constexpr double kSeconds = 0.4;
  const torch::NoGradGuard no_gradients;
  const auto work = product(type);
  double best = 0;
  for (const Stopwatch all; all.seconds() < kSeconds;) {
    const Stopwatch call;
    work();
    best = std::max(best, kFlops / call.seconds());
  }
  return best;
}

}  // namespace tenfold::app

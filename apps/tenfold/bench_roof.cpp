// The speed of libtorch's own matrix products on this machine now.
// Not here: anything of tenfold's own.
#include <algorithm>

#include "bench_works.h"
#include "tensor/torch.h"

namespace tenfold::app {

void bench_roof(const BenchTimer& timer) {
  constexpr int64_t kRows = 2048, kInner = 768, kColumns = 3072;
  constexpr size_t kSamplesShown = 30;
  const torch::NoGradGuard no_gradients;
  for (const auto& [name, type] :
       {std::pair("mm/fp32", torch::kFloat), std::pair("mm/bf16", torch::kBFloat16),
        std::pair("mm/int8", torch::kChar)}) {
    if (!timer.wants(name)) continue;
    const bool whole = type == torch::kChar;
    const Tensor a = whole ? torch::randint(-99, 99, {kRows, kInner}, type)
                           : torch::randn({kRows, kInner}).to(type);
    const Tensor b = whole ? torch::randint(-99, 99, {kInner, kColumns}, type)
                           : torch::randn({kInner, kColumns}).to(type);
    const auto groups = timer.time(name, [&] { whole ? at::_int_mm(a, b) : at::mm(a, b); });
    std::vector<double> rates;
    for (double seconds : all_calls(groups))
      rates.push_back(2e-9 * kRows * kInner * kColumns / seconds);
    const double best = *std::max_element(rates.begin(), rates.end());
    rates.resize(std::min(rates.size(), kSamplesShown));
    timer.emit_value(name, "rate", "GFLOP/s", rates, best);
  }
}

}  // namespace tenfold::app

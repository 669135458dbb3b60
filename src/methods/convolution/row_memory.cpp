// Cutting and joining the rows that are kept.
// Not here: the convolution over them.
#include "methods/convolution/row_memory.h"

#include <algorithm>

#include "support/fail.h"

namespace tenfold::convolution {

RowMemory::RowMemory(int64_t count, int64_t capacity, int64_t kernel_size)
    : capacity_(capacity), reach_(kernel_size - 1) {
  add(count);
}

/// Leaves the places from .. to - 1.
void RowMemory::Kept::cut(int64_t from, int64_t to) {
  from = std::clamp(from, begin, end);
  to = std::clamp(to, from, end);
  if (row_NC.defined()) {
    row_NC = row_NC.narrow(0, from - begin, to - from);
    keep_N = keep_N.narrow(0, from - begin, to - from);
  }
  begin = from;
  end = to;
}

void RowMemory::append(int64_t sequence, int64_t past, const Tensor& row_NC, const Tensor& keep_N) {
  const torch::NoGradGuard no_grad;
  Kept& kept = kept_.at(static_cast<size_t>(sequence));
  const int64_t n = row_NC.size(0);
  require(past <= kept.end && kept.begin <= std::max<int64_t>(0, past - reach_),
          ErrorKind::internal, "attention memory",
          "sequence {} holds places {} to {}, cannot go on at {}", sequence, kept.begin, kept.end,
          past);
  require(past + n <= capacity_, ErrorKind::shape, "attention memory",
          "room for {} keys, {} are needed", capacity_, past + n);
  kept.cut(past - reach_, past);
  const Tensor keep =
      keep_N.defined() ? keep_N.to(torch::kBool).cpu() : torch::ones({n}, torch::kBool);
  kept.row_NC = kept.row_NC.defined() ? at::cat({kept.row_NC, row_NC}) : row_NC.clone();
  kept.keep_N = kept.keep_N.defined() ? at::cat({kept.keep_N, keep}) : keep;
  kept.end = past + n;
}

void RowMemory::select(const std::vector<int64_t>& parents) {
  std::vector<Kept> chosen;
  for (const int64_t parent : parents) chosen.push_back(of(parent));
  kept_ = std::move(chosen);
}

void RowMemory::truncate(const std::vector<int64_t>& past) {
  for (size_t i = 0; i < kept_.size(); ++i) kept_[i].cut(kept_[i].begin, past.at(i));
}

void RowMemory::add(int64_t count) { kept_.resize(kept_.size() + static_cast<size_t>(count)); }

}  // namespace tenfold::convolution

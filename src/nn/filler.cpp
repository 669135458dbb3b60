// Filler sequences are short, so that kinds of attention with a longest length take them.
// Not here: who adds them (stack.cpp, model/heads.cpp).
#include "nn/filler.h"

#include <algorithm>

#include "nn/onednn.h"

namespace tenfold::nn {
namespace {

constexpr int64_t kLongestFiller = 16;

int64_t step_of(int64_t rows) {
  if (rows <= 32) return 1;
  if (rows <= 128) return 8;
  int64_t power = 1024;
  while (power * 2 <= rows) power *= 2;
  return power / 64;
}

}  // namespace

int64_t rounded_rows(int64_t rows) {
  const int64_t step = step_of(rows);
  return (rows + step - 1) / step * step;
}

Tensor with_filler_rows(const Tensor& x_TD) {
  const int64_t more = rounded_rows(x_TD.size(0)) - x_TD.size(0);
  if (more == 0 || !onednn_serves(x_TD)) return x_TD;
  return at::cat({x_TD, torch::zeros({more, x_TD.size(1)}, x_TD.options().requires_grad(false))});
}

FilledPass with_filler_sequences(const SequenceLayout& layout, const MaskSpec& mask,
                                 const PassContext& pass, int64_t filler_rows, int64_t longest) {
  FilledPass out{.layout = layout, .mask = mask, .pass = pass};
  if (filler_rows == 0) return out;
  std::vector<int64_t> lengths = layout.lengths();
  const int64_t most = longest > 0 ? std::min(longest, kLongestFiller) : kLongestFiller;
  for (int64_t left = filler_rows; left > 0; left -= most) {
    lengths.push_back(std::min(left, most));
    if (mask.see.size() > 1) out.mask.see.push_back(mask.see[0]);
    if (!mask.source.empty()) out.mask.source.push_back(0);
    if (!pass.example_keys.empty()) out.pass.example_keys.push_back(0);
  }
  if (mask.keep_S.defined()) {
    out.mask.keep_S = at::cat({mask.keep_S, torch::ones({filler_rows}, mask.keep_S.options())});
  }
  out.layout = SequenceLayout::of_lengths(lengths);
  return out;
}

}  // namespace tenfold::nn

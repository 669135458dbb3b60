// The dense view of a mask, and its checks.
// Not here: kernels, which read the structure.
#include "tensor/mask.h"

#include "support/fail.h"

namespace tenfold {

Tensor MaskSpec::visible(int64_t sequence, int64_t past, int64_t n, int64_t m,
                         int64_t key_begin) const {
  const Tensor place_N1 = torch::arange(past, past + n, torch::kInt64).unsqueeze(1);
  const Tensor key_1M = torch::arange(m, torch::kInt64).unsqueeze(0);
  Tensor seen_NM;
  switch (kind(sequence)) {
    case See::all: seen_NM = torch::ones({n, m}, torch::kBool); break;
    case See::past: seen_NM = key_1M.le(place_N1); break;
    case See::future: seen_NM = key_1M.ge(place_N1); break;
    case See::prefix:
      seen_NM = key_1M.le(place_N1).logical_or(key_1M.lt(source[static_cast<size_t>(sequence)]));
      break;
    case See::others: seen_NM = key_1M.ne(place_N1); break;
  }
  if (keep_S.defined()) {
    seen_NM =
        seen_NM.logical_and(keep_S.narrow(0, key_begin, m).to(torch::kBool).cpu().unsqueeze(0));
  }
  return seen_NM;
}

void MaskSpec::check(int64_t count, const std::vector<int64_t>& key_lengths) const {
  const auto sequences = static_cast<size_t>(count);
  require(see.size() == 1 || see.size() == sequences, ErrorKind::shape, "mask",
          "expected 1 or {} mask kinds, got {}", count, see.size());
  require(key_lengths.size() == sequences, ErrorKind::shape, "mask",
          "expected {} key lengths, got {}", count, key_lengths.size());
  int64_t total = 0;
  for (const int64_t m : key_lengths) total += m;
  require(!keep_S.defined() || (keep_S.dim() == 1 && keep_S.size(0) == total), ErrorKind::shape,
          "mask", "the keep mask must have one value for each of {} keys", total);
  for (int64_t b = 0; b < count; ++b) {
    if (kind(b) != See::prefix) continue;
    require(source.size() == sequences, ErrorKind::shape, "mask",
            "expected {} source lengths, got {}", count, source.size());
    const int64_t length = source[static_cast<size_t>(b)];
    require(length >= 0, ErrorKind::shape, "mask",
            "source length of sequence {} must not be negative, got {}", b, length);
  }
}

}  // namespace tenfold

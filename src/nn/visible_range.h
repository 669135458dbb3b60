// Which keys one query sees, as a range with at most one left out: every mask kind has that form.
// Not here: the dense view (tensor/mask.h), or what a kernel does with the range.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/attention_sequence.h"

namespace tenfold::nn {

/// Keys lo .. hi - 1 without `skip` (below 0: none), by index among those that holes leave.
struct VisibleRange {
  int64_t lo, hi, skip;
};

/// Index of the first key at or behind `place`.
inline int64_t key_index(const AttentionSequence& s, int64_t place) {
  if (!s.has_holes) return std::clamp<int64_t>(place, 0, s.keys);
  return std::lower_bound(s.kept.begin(), s.kept.end(), place) - s.kept.begin();
}

inline VisibleRange visible_range(const AttentionSequence& s, int64_t query) {
  const int64_t place = s.past + query, m = s.seen_keys();
  switch (s.kind) {
    case See::all: return {0, m, -1};
    case See::past: return {0, key_index(s, place + 1), -1};
    case See::future: return {key_index(s, place), m, -1};
    case See::prefix: return {0, key_index(s, std::max(place + 1, s.source)), -1};
    case See::others: {
      const int64_t index = key_index(s, place);
      const bool there =
          index < m && (s.has_holes ? s.kept[static_cast<size_t>(index)] : index) == place;
      return {0, m, there ? index : -1};
    }
  }
  return {0, m, -1};
}

}  // namespace tenfold::nn

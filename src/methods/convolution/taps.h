// Where the taps of a kernel fall: which rows a query reads, by mask kind.
// Not here: what is done with the rows (convolve.h).
//
// k taps j = 0 .. k - 1. `past` puts them at places p - k + 1 .. p of a query at place p, `future`
// mirrors that, every other kind centres them. A tap that the mask hides from the query wherever it
// stands (its own token under `others`, what is to the right of a target token under `prefix`) has
// no weight; one that falls beyond the end of the sequence, or for a source token under `prefix`
// beyond the end of the source, reads zero and keeps its weight (the paper's zero padding).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tensor/mask.h"
#include "tensor/torch.h"

namespace tenfold::convolution {

inline constexpr int64_t kFewestTaps = 3, kMostTaps = 31;

/// Taps that have a weight.
enum class TapSet : uint8_t { every, others, left };
inline constexpr int64_t kTapSets = 3;

/// One sequence of a pass: its queries, and rows that stand at places of their own.
struct ConvolvedSequence {
  int64_t query_begin = 0, queries = 0;
  int64_t past = 0;  ///< place of the first query
  int64_t row_begin = 0, rows = 0;
  int64_t row_place = 0;  ///< place of the first row: while decoding the oldest are gone
  See kind = See::all;
  int64_t source = 0;  ///< of See::prefix
};

/// Taps first .. last - 1 without `skip` (below 0: none) read the rows row0 + step * j.
struct Taps {
  int64_t first, last, skip, row0, step;
};

inline TapSet tap_set(const ConvolvedSequence& s, int64_t query) {
  if (s.kind == See::others) return TapSet::others;
  return s.kind == See::prefix && s.past + query >= s.source ? TapSet::left : TapSet::every;
}

inline Taps taps_of(const ConvolvedSequence& s, int64_t query, int64_t kernel_size) {
  const int64_t place = s.past + query, half = kernel_size / 2;
  int64_t end = s.row_place + s.rows;  // of the places that can be read
  int64_t taps = kernel_size, skip = -1, place0 = place - half, step = 1;
  if (s.kind == See::past) place0 = place - (kernel_size - 1);
  if (s.kind == See::future) {
    place0 = place + (kernel_size - 1);
    step = -1;
  }
  if (s.kind == See::others) skip = half;
  if (s.kind == See::prefix) {
    if (place < s.source) {
      end = std::min(end, s.source);
    } else {
      taps = half + 1;
    }
  }
  const int64_t row0 = s.row_begin + place0 - s.row_place;
  int64_t first = s.row_place - place0, last = end - place0;
  if (step < 0) {
    first = place0 - end + 1;
    last = place0 - s.row_place + 1;
  }
  first = std::clamp<int64_t>(first, 0, taps);
  last = std::clamp<int64_t>(last, first, taps);
  return {first, last, skip, row0, step};
}

/// bool [3, k]: taps without a weight, by TapSet.
inline Tensor hidden_taps(int64_t kernel_size) {
  Tensor hidden = torch::zeros({kTapSets, kernel_size}, torch::kBool);
  hidden[static_cast<int64_t>(TapSet::others)][kernel_size / 2] = true;
  hidden[static_cast<int64_t>(TapSet::left)]
      .narrow(0, kernel_size / 2 + 1, kernel_size / 2)
      .fill_(true);
  return hidden;
}

}  // namespace tenfold::convolution

// What one sequence's queries ask of its keys, as numbers that kernels read.
// Not here: the mask kinds' meaning (visible_range.h).
#pragma once

#include <cstdint>
#include <vector>

#include "nn/attention.h"

namespace tenfold::nn {

struct AttentionSequence {
  int64_t query_begin = 0, queries = 0, key_begin = 0, keys = 0, past = 0;
  See kind = See::all;
  int64_t source = 0;
  std::vector<int64_t>
      kept;  ///< places of the keys left after holes, ascending; empty with has_holes: none
  bool has_holes = false;
  int64_t seen_keys() const { return has_holes ? static_cast<int64_t>(kept.size()) : keys; }
};

/// One a sequence of the layouts, for keys given in full.
std::vector<AttentionSequence> attention_sequences(const AttentionContext& context);

/// Lists the keys that holes leave; keep_M is bool [keys], undefined: all.
void leave_out_holes(AttentionSequence& s, const Tensor& keep_M);

/// Leading keys that all queries of sequence b see, 0 for other kinds than a prefix.
int64_t source_of(const MaskSpec& mask, int64_t b);

}  // namespace tenfold::nn

// How one sequence's mask is worked through in chunks, for attention that keeps sums over keys in
// place of weights: each chunk of queries sees whole ranges of keys, and a few keys one by one.
// Not here: the sums (feature_scan.h).
#pragma once

#include <cstdint>
#include <vector>

#include "nn/attention_sequence.h"

namespace tenfold::nn {

/// Queries of one chunk, and the keys of which each query sees its own part (visible_range.h).
/// Keys are counted among those that holes leave. Key ranges of successive chunks follow one
/// another without gap.
struct ScanChunk {
  int64_t query_begin = 0, query_end = 0, key_begin = 0, key_end = 0;
  int64_t queries() const { return query_end - query_begin; }
  int64_t keys() const { return key_end - key_begin; }
};

struct ScanPlan {
  int64_t base = 0;  ///< keys 0 .. base - 1 are seen by every query
  int64_t tail = 0;  ///< so are keys tail .. keys - 1
  int64_t keys = 0;  ///< all that holes leave
  int64_t rows = 0;  ///< most queries of a chunk
  std::vector<ScanChunk> chunks;
  bool before = false;  ///< a chunk sees all keys of the chunks before it
  bool after = false;   ///< a chunk sees all keys of the chunks behind it
  bool partial() const { return before || after; }
  bool shared() const { return base > 0 || tail < keys; }  ///< some keys are seen by every query
};

/// Every mask kind has that form: `all` is base alone, `past` looks before, `future` behind,
/// `prefix` has its source for base and looks before, `others` looks both ways. A chunk has at most
/// `rows` queries, and as many keys where it sees some in part.
ScanPlan scan_plan(const AttentionSequence& s, int64_t rows);

}  // namespace tenfold::nn

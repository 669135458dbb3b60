// What decoding step by step keeps: one memory a layer, and one count of committed tokens a
// sequence. Not here: what a memory holds (each attention kind's own), or search (decode).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/attention.h"

namespace tenfold::nn {

/// `past` is the only truth about how far a sequence has come: it moves in commit(), after the last
/// layer, so a pass that throws half-way leaves the state as it was. What a pass fed beyond the
/// committed count (UniLM's appended [MASK]) was seen during that pass and is forgotten. Not
/// thread-safe.
struct DecodeState {
  std::vector<std::unique_ptr<AttentionMemory>> self, cross;  ///< one a layer; cross may be empty
  std::vector<int64_t> past;                                  ///< committed tokens, one a sequence

  int64_t count() const { return static_cast<int64_t>(past.size()); }
  /// Shrinks, repeats or reorders sequences: new sequence i continues old sequence parents[i].
  void select(const std::vector<int64_t>& parents);
  /// Room for `count` more sequences behind the present ones, with nothing committed (continuous
  /// batching).
  void add(int64_t count);
  /// Takes over the first counts[b] of the tokens the last pass fed for sequence b.
  void commit(const std::vector<int64_t>& counts);
  /// Goes back to shorter sequences (speculative decoding, retries); lengths[b] <= past[b].
  void truncate(const std::vector<int64_t>& lengths);
};

}  // namespace tenfold::nn

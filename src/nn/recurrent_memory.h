// Memory of constant size for attention by sums over keys: a state a sequence, and the keys of the
// last step, which count once they are committed. Not here: how far a sequence has come
// (decode_state.h).
#pragma once

#include <cstdint>
#include <vector>

#include "nn/feature_attention.h"

namespace tenfold::nn {

/// Not thread-safe.
class RecurrentMemory final : public AttentionMemory {
 public:
  explicit RecurrentMemory(int64_t count) { add(count); }

  /// One pass over the batch's sequences, which are the memory's rows. keys and values undefined:
  /// those of before.
  Tensor step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
              const AttentionIn& in, FeaturePlan plan);

  void select(const std::vector<int64_t>& parents) override;
  /// Error{unsupported} below what a state has taken in: a sum does not forget.
  void truncate(const std::vector<int64_t>& past) override;
  void add(int64_t count) override;

 private:
  /// States are never written again, so rows may share them.
  struct Row {
    RecurrentState state;
    int64_t count = 0;                  ///< keys in the state
    Tensor key_NHE, value_NHE, keep_N;  ///< those of the last step
    int64_t pending() const { return key_NHE.defined() ? key_NHE.size(0) : 0; }
  };

  void take_in(Row& row, int64_t past, const FeaturePlan& plan) const;

  std::vector<Row> rows_;
};

}  // namespace tenfold::nn

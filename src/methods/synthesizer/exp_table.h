// Inference over scores that depend on places alone: their exponentials are computed once and kept,
// and one product a head serves all sequences of equal shape. Not here: gradients, dropout or
// carried scores (synthetic_scores.h has those).
//
// H heads, N longest sequence, S key rows, E head size.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "nn/softmax_attention.h"
#include "tensor/torch.h"

namespace tenfold::synthesizer {

/// exp(score - largest score of the row), with sums over the leading keys as they are asked for.
/// Thread-safe.
class ExpTable {
 public:
  explicit ExpTable(const Tensor& scores_HNN);
  ExpTable(ExpTable&& other) noexcept : exp_HNN_(std::move(other.exp_HNN_)) {}

  const Tensor& exp_HNN() const { return exp_HNN_; }
  /// Sum over the first `keys` of every row, [H, N].
  Tensor sums_HN(int64_t keys) const;

 private:
  Tensor exp_HNN_;
  mutable std::mutex mutex_;
  mutable std::map<int64_t, Tensor> sums_;
};

/// softmax(scores) values for every sequence, [queries, H, E] in the values' number format. Nothing
/// where a row's visible keys lie so far below the row's largest score that their exponentials lose
/// their digits: then the scores must be shifted by the largest that is visible, as softmax does.
std::optional<Tensor> mix_by_table(const ExpTable& table, const Tensor& value_SHE,
                                   const std::vector<nn::AttentionSequence>& sequences,
                                   int64_t query_rows);

}  // namespace tenfold::synthesizer

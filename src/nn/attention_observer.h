// Who looks at the scores and weights of every layer of a pass.
// Not here: what is made of them (attention_statistics.h), or who asks for it (Stack::observe).
//
// H heads, N queries, M keys.
#pragma once

#include <cstdint>

#include "nn/attention.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// One sequence at one layer. The tensors have no gradient and live as long as the call.
struct ObservedAttention {
  int64_t layer = 0;     ///< in its stack
  int64_t sequence = 0;  ///< in its batch
  Side side = Side::self;
  Tensor score_HNM;   ///< raw scores, those carried in included, before position bias and mask
  Tensor weight_HNM;  ///< after the softmax, before dropout; hidden keys have 0
  Tensor seen_NM;     ///< bool: which keys a query may see
};

/// Called once a layer and sequence, in the order of the layers. Attention without an observer pays
/// nothing for it; with one, a kind that forms scores computes them once more by its definition.
class AttentionObserver {
 public:
  virtual ~AttentionObserver() = default;
  virtual void see(const ObservedAttention& observed) = 0;
  /// Asked before each pass: whether it is to be observed.
  virtual bool wants_more() const { return true; }
};

}  // namespace tenfold::nn

// Cross-entropy over classes with class weights and label smoothing, row by row.
// Not here: where weights come from (data/class_weights.h), or losses from hidden states
// (vocabulary_loss.h).
//
// B rows, C classes.
#pragma once

#include "tensor/torch.h"

namespace tenfold::nn {

/// With p = softmax(logits) and e = label_smoothing, a row of label y costs
///   (1 - e) w[y] (-log p[y]) + e / C sum over c of w[c] (-log p[c]),
/// as torch's cross_entropy has it. The mean over rows divides by the sum of w[y], with smoothing
/// too.
struct ClassLoss {
  Tensor weights_C = {};  ///< undefined: all are 1
  double label_smoothing = 0;

  /// [B]; 0 where the label is -100. Labels int64 [B].
  Tensor rows(const Tensor& logits_BC, const Tensor& labels_B) const;
};

}  // namespace tenfold::nn

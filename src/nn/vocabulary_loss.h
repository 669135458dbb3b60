// Cross-entropy over a vocabulary, from hidden states.
// Not here: the head's own layers (model/heads.h), or which rows are predicted (collators).
//
// P predicted rows, D width, V vocabulary.
#pragma once

#include "tensor/torch.h"

namespace tenfold::nn {

struct VocabularyLoss {
  Tensor sum;      ///< 0-d: sum over rows of -log softmax(h W^T + b)[label]
  Tensor correct;  ///< 0-d int64: rows whose label has the largest logit (the first, where several)
};

/// h [P, D], W [V, D], b [V], labels int64 [P] in [0, V). Rows of h beyond the labels count for
/// nothing (filler.h). h may be narrower than W and b (bf16):
/// the products are then, softmax and sums are fp32, gradients of W and b have their format. Works
/// in chunks of rows, so the logits [P, V] are never stored whole; the gradient is computed with
/// the value and can be taken once. Thread-safe.
VocabularyLoss vocabulary_loss(const Tensor& hidden_PD, const Tensor& weight_VD,
                               const Tensor& bias_V, const Tensor& labels_P);

/// The same by plain operators: the definition, and the path of devices without the kernel.
VocabularyLoss vocabulary_loss_reference(const Tensor& hidden_PD, const Tensor& weight_VD,
                                         const Tensor& bias_V, const Tensor& labels_P);

}  // namespace tenfold::nn

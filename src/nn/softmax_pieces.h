// Softmax attention on the CPU in pieces of the score matrix that stay in the cache: forward and
// backward. Not here: autograd, number formats, or when the flash kernel does instead
// (softmax_fast.cpp).
//
// T query rows, S key rows, H heads, E head size, R offsets of a position bias.
#pragma once

#include <vector>

#include "nn/softmax_attention.h"

namespace tenfold::nn {

/// All tensors in fp32, or all in fp64.
struct SoftmaxInputs {
  Tensor query_THE, key_SHE, value_SHE;
  Tensor carry;               ///< flat scores; undefined: none
  std::vector<Tensor> below;  ///< query and key of each layer below, in place of a carry
  Tensor bias_HR;             ///< undefined: none
};

/// Rows of one sequence's queries with the heads in front: [H, n, E], a view.
inline Tensor query_heads(const Tensor& x_THE, const AttentionSequence& s) {
  return x_THE.narrow(0, s.query_begin, s.queries).transpose(0, 1);
}

struct SoftmaxPieces {
  Tensor context_THE;
  Tensor flat_scores;   ///< empty unless the plan hands them on
  Tensor flat_weights;  ///< empty unless asked for: before dropout, in the order of the scores
};

/// Without autograd; on all threads.
SoftmaxPieces softmax_forward(const SoftmaxInputs& in, const SoftmaxPlan& plan, bool keep_weights);

struct SoftmaxGradients {
  Tensor query_THE, key_SHE, value_SHE, carry, bias_HR;  ///< undefined where the input is
};

/// Gradients of softmax_forward without `below`. `score_gradient`: of flat_scores; undefined: none.
SoftmaxGradients softmax_backward(const SoftmaxInputs& in, const SoftmaxPlan& plan,
                                  const Tensor& flat_weights, const Tensor& context_gradient_THE,
                                  const Tensor& score_gradient);

}  // namespace tenfold::nn

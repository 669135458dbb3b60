// Depthwise convolution with kernels that groups of channels share, over ragged rows: y = sum over
// taps of weight times row, with its gradient. Not here: where kernels come from
// (gated_convolution.h) or where taps fall (taps.h).
//
// T queries, S rows, H heads (groups of channels), E channels of a head, K taps.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/convolution/taps.h"
#include "tensor/torch.h"

namespace tenfold::convolution {

/// Whose kernels the weights are.
enum class KernelOf : uint8_t {
  tap_set,  ///< [3, H, K]: one for all queries with the same TapSet
  query,    ///< [T, H, K]: one each
};

struct ConvolutionPlan {
  std::vector<ConvolvedSequence> sequences;
  int64_t queries = 0;  ///< T
  int64_t kernel_size = 0;
  KernelOf kernel_of = KernelOf::query;
  Tensor keep_S;  ///< bool on the CPU; undefined: no row is hidden

  /// int64 [T]: every query's TapSet.
  Tensor tap_sets() const;
};

/// [T, H, E] from rows [S, H, E] and normalised weights, both fp32 or fp64 (arXiv 1901.10430,
/// sections 2 to 4). Rows that are hidden or beyond an edge are never read: they add exactly
/// nothing and get gradients of exactly 0. On the CPU by own loops that keep nothing but the
/// inputs; elsewhere by operators. Thread-safe.
Tensor convolve(const Tensor& x_SHE, const Tensor& weight_WHK, const ConvolutionPlan& plan);

/// The same by operators on any device: the twin that the loops are held against.
Tensor convolve_by_operators(const Tensor& x_SHE, const Tensor& weight_WHK,
                             const ConvolutionPlan& plan);

}  // namespace tenfold::convolution

// The row loops of softmax attention: masked softmax, dropout of weights, and the gradient of both.
// Not here: products of matrices (softmax_fast.cpp).
#pragma once

#include <cstdint>
#include <limits>

#include "nn/row_exp.h"
#include "tensor/counter_hash.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {

/// to = softmax of factor * from[lo..hi) without element `skip` (below 0: none); everything else
/// becomes 0, and all of it where nothing is visible. from and to may be one row.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void softmax_row(const scalar_t* from, scalar_t* to, int64_t m, int64_t lo,
                                       int64_t hi, int64_t skip, scalar_t factor) {
  for (int64_t j = 0; j < lo; ++j) to[j] = 0;
  for (int64_t j = hi > lo ? hi : lo; j < m; ++j) to[j] = 0;
  constexpr scalar_t kHidden = -std::numeric_limits<scalar_t>::infinity();
  scalar_t top = kHidden;
#pragma omp simd reduction(max : top)
  for (int64_t j = lo; j < hi; ++j) {
    const scalar_t x = from[j] * factor;
    to[j] = x;
    top = x > top ? x : top;
  }
  if (skip >= lo && skip < hi) {
    to[skip] = top = kHidden;
#pragma omp simd reduction(max : top)
    for (int64_t j = lo; j < hi; ++j) top = to[j] > top ? to[j] : top;
  }
  if (top == kHidden) {
    for (int64_t j = lo; j < hi; ++j) to[j] = 0;
    return;
  }
  scalar_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = lo; j < hi; ++j) {
    to[j] = row_exp(to[j] - top);
    sum += to[j];
  }
  const scalar_t inverse = scalar_t(1) / sum;
#pragma omp simd
  for (int64_t j = lo; j < hi; ++j) to[j] *= inverse;
}

/// to = dropout(from); `places` gives each key's column, null where that is its index.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void drop_weight_row(const scalar_t* from, scalar_t* to, int64_t m,
                                           const int64_t* places, HashKey key, uint32_t threshold,
                                           scalar_t scale) {
  if (places == nullptr) {
#pragma omp simd
    for (int64_t j = 0; j < m; ++j) {
      to[j] = hash_bits(key.first, key.second, static_cast<uint32_t>(j)) >= threshold
                  ? from[j] * scale
                  : scalar_t(0);
    }
    return;
  }
  for (int64_t j = 0; j < m; ++j) {
    to[j] = hash_bits(key.first, key.second, static_cast<uint32_t>(places[j])) >= threshold
                ? from[j] * scale
                : scalar_t(0);
  }
}

/// d becomes the gradient of the scores, from that of the weights: factor w (d - sum(w d)), and
/// `above`, what they have from the layer above (null: nothing), is added.
template <typename scalar_t>
TENFOLD_VECTOR_CLONES void softmax_row_backward(const scalar_t* w, scalar_t* d, int64_t m,
                                                scalar_t factor, const scalar_t* above) {
  scalar_t sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < m; ++j) sum += w[j] * d[j];
  if (above == nullptr) {
#pragma omp simd
    for (int64_t j = 0; j < m; ++j) d[j] = factor * (w[j] * (d[j] - sum));
    return;
  }
#pragma omp simd
  for (int64_t j = 0; j < m; ++j) d[j] = factor * (w[j] * (d[j] - sum)) + above[j];
}

}  // namespace tenfold::nn

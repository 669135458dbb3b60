// The row loops of attention by sums over keys.
// Not here: products of tiles (tile.h) or their order (feature_scan.cpp).
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/softmax_rows.h"
#include "nn/tile.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {

/// Asks for rows that will be read or written soon: rows of one head lie too far apart for the
/// processor to guess.
template <typename T>
void expect_rows(const T* rows, int64_t stride, int64_t count, int64_t width) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t e = 0; e < width; e += kLine) __builtin_prefetch(rows + i * stride + e);
  }
}

/// Rows `stride` apart (of each place where `places` is given) into a tile, zeros behind `width`.
template <typename T>
TENFOLD_VECTOR_CLONES void load_rows(const T* from, int64_t stride, const int64_t* places,
                                     int64_t rows, int64_t width, T* to, int64_t to_stride) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = from + (places != nullptr ? places[i] : i) * stride;
    for (int64_t e = 0; e < width; ++e) to[i * to_stride + e] = row[e];
    for (int64_t e = width; e < to_stride; ++e) to[i * to_stride + e] = 0;
  }
}

template <typename T>
TENFOLD_VECTOR_CLONES void store_rows(const T* from, int64_t from_stride, const int64_t* places,
                                      int64_t rows, int64_t width, T* to, int64_t stride) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = to + (places != nullptr ? places[i] : i) * stride;
    for (int64_t e = 0; e < width; ++e) row[e] = from[i * from_stride + e];
  }
}

template <typename T>
TENFOLD_VECTOR_CLONES void scale_numbers(T* x, T factor, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) x[i] *= factor;
}

template <typename T>
TENFOLD_VECTOR_CLONES void add_scaled(T* to, const T* from, T factor, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] += factor * from[i];
}

/// to += the sum of rows, each times its weight (null: 1).
template <typename T>
TENFOLD_VECTOR_CLONES void add_rows(T* to, const T* from, int64_t stride, const T* weight,
                                    int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    const T w = weight != nullptr ? weight[i] : T(1);
#pragma omp simd
    for (int64_t r = 0; r < n; ++r) to[r] += w * from[i * stride + r];
  }
}

/// to[i] = row i of x times y.
template <typename T>
TENFOLD_VECTOR_CLONES void row_dots(const T* x, int64_t stride, const T* y, int64_t rows, int64_t n,
                                    T* to) {
  for (int64_t i = 0; i < rows; ++i) to[i] = tile::dot(x + i * stride, y, n);
}

template <typename T>
TENFOLD_VECTOR_CLONES T row_sum(const T* x, int64_t n) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

/// x[j] = (x[j] + add) exp(offset[j] - ceiling) for the keys lo .. hi - 1 without `skip`, else 0.
template <typename T>
TENFOLD_VECTOR_CLONES void weigh_row(T* x, int64_t n, int64_t lo, int64_t hi, int64_t skip, T add,
                                     const T* offset, T ceiling) {
  for (int64_t j = 0; j < lo; ++j) x[j] = 0;
  for (int64_t j = hi; j < n; ++j) x[j] = 0;
  if (offset == nullptr) {
#pragma omp simd
    for (int64_t j = lo; j < hi; ++j) x[j] += add;
  } else {
#pragma omp simd
    for (int64_t j = lo; j < hi; ++j) x[j] = (x[j] + add) * row_exp(offset[j] - ceiling);
  }
  if (skip >= lo && skip < hi) x[skip] = 0;
}

/// Row i of x = factor[i] (x + shift[i] z).
template <typename T>
TENFOLD_VECTOR_CLONES void shift_and_scale_rows(T* x, int64_t stride, const T* shift, const T* z,
                                                const T* factor, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = x + i * stride;
    const T a = shift[i], f = factor[i];
#pragma omp simd
    for (int64_t r = 0; r < n; ++r) row[r] = f * (row[r] + a * z[r]);
  }
}

/// Gradient of the output into that of the numerator, in place, and of the denominator:
/// shift[i] = -(g . out) inverse, g *= inverse.
template <typename T>
TENFOLD_VECTOR_CLONES void split_output_gradient(T* g, const T* out, int64_t stride,
                                                 const T* inverse, int64_t rows, int64_t n,
                                                 T* shift) {
  for (int64_t i = 0; i < rows; ++i) {
    T* row = g + i * stride;
    shift[i] = -inverse[i] * tile::dot(row, out + i * stride, n);
    const T f = inverse[i];
#pragma omp simd
    for (int64_t e = 0; e < n; ++e) row[e] *= f;
  }
}

}  // namespace tenfold::nn

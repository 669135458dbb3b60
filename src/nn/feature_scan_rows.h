// The row loops of attention by sums over keys.
// Not here: products of tiles (tile.h) or their order (feature_scan.cpp).
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/feature_scan.h"
#include "nn/softmax_rows.h"
#include "nn/tile.h"
#include "tensor/vector_clones.h"

namespace tenfold::nn {

/// Rows `stride` apart (of each place where `places` is given) into a tile, zeros behind `width`.
template <typename T>
TENFOLD_VECTOR_CLONES void load_rows(const T* from, int64_t stride, const int64_t* places,
                                     int64_t rows, int64_t width, T* to, int64_t to_stride) {
  using V = typename tile::Vector<T>::type;
  constexpr int64_t lanes = tile::Vector<T>::lanes;
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = from + (places != nullptr ? places[i] : i) * stride;
    T* out = to + i * to_stride;
    int64_t e = 0;
    for (; e + lanes <= width; e += lanes)
      *reinterpret_cast<V*>(out + e) = *reinterpret_cast<const V*>(row + e);
    for (; e < width; ++e) out[e] = row[e];
    for (; e < to_stride; ++e) out[e] = 0;
  }
}

template <typename T>
TENFOLD_VECTOR_CLONES void store_rows(const T* from, int64_t from_stride, const int64_t* places,
                                      int64_t rows, int64_t width, T* to, int64_t stride) {
  using V = typename tile::Vector<T>::type;
  constexpr int64_t lanes = tile::Vector<T>::lanes;
  for (int64_t i = 0; i < rows; ++i) {
    T* row = to + (places != nullptr ? places[i] : i) * stride;
    const T* in = from + i * from_stride;
    int64_t e = 0;
    for (; e + lanes <= width; e += lanes)
      *reinterpret_cast<V*>(row + e) = *reinterpret_cast<const V*>(in + e);
    for (; e < width; ++e) row[e] = in[e];
  }
}

#if defined(__SSE2__) && defined(__GNUC__) && !defined(__clang__)
/// Whether rows can be written past the caches: what is written by 16 bytes begins at multiples.
template <typename T>
bool streams(const T* to, int64_t stride) {
  return (reinterpret_cast<uintptr_t>(to) | static_cast<uintptr_t>(stride * int64_t{sizeof(T)})) %
             16 ==
         0;
}

/// store_rows past the caches; finish_streams() before anyone reads them.
template <typename T>
void stream_rows(const T* from, int64_t from_stride, const int64_t* places, int64_t rows,
                 int64_t width, T* to, int64_t stride) {
  typedef float Part __attribute__((vector_size(16), may_alias));
  constexpr int64_t kPart = 16 / sizeof(T);
  for (int64_t i = 0; i < rows; ++i) {
    T* row = to + (places != nullptr ? places[i] : i) * stride;
    const T* in = from + i * from_stride;
    int64_t e = 0;
    for (; e + kPart <= width; e += kPart)
      __builtin_ia32_movntps(reinterpret_cast<float*>(row + e),
                             *reinterpret_cast<const Part*>(in + e));
    for (; e < width; ++e) row[e] = in[e];
  }
}

inline void finish_streams() { __builtin_ia32_sfence(); }
#else
template <typename T>
bool streams(const T*, int64_t) {
  return false;
}
template <typename T>
void stream_rows(const T*, int64_t, const int64_t*, int64_t, int64_t, T*, int64_t) {}
inline void finish_streams() {}
#endif

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

/// Every row of x, `stride` apart, gets y.
template <typename T>
TENFOLD_VECTOR_CLONES void add_to_rows(T* x, int64_t stride, const T* y, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) {
#pragma omp simd
    for (int64_t r = 0; r < n; ++r) x[i * stride + r] += y[r];
  }
}

/// to[i] = row i of x times y.
template <typename T>
TENFOLD_VECTOR_CLONES void row_dots(const T* x, int64_t stride, const T* y, int64_t rows, int64_t n,
                                    T* to) {
  for (int64_t i = 0; i < rows; ++i) to[i] = tile::dot(x + i * stride, y, n);
}

/// to[i] += the sum of row i.
template <typename T>
TENFOLD_VECTOR_CLONES void add_row_sums(const T* x, int64_t n, int64_t rows, T* to) {
  for (int64_t i = 0; i < rows; ++i) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < n; ++j) sum += x[i * n + j];
    to[i] += sum;
  }
}

/// Row i of x, n numbers each, times factor[i].
template <typename T>
TENFOLD_VECTOR_CLONES void scale_rows(T* x, int64_t n, const T* factor, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    const T f = factor[i];
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) x[i * n + j] *= f;
  }
}

/// Raw products become weights: x[j] = (x[j] + add[i]) exp(offset[j] - ceiling[i]) where row i sees
/// key j, else 0. add null: 0; offset null: factor 1.
template <typename T>
TENFOLD_VECTOR_CLONES void weigh_rows(T* block, int64_t n, const SeenKeys* all_seen, int64_t rows,
                                      const T* add, const T* offset, const T* ceiling) {
  for (int64_t i = 0; i < rows; ++i) {
    T* x = block + i * n;
    const SeenKeys seen = all_seen[i];
    const T plus = add != nullptr ? add[i] : T(0);
    for (int64_t j = 0; j < seen.lo; ++j) x[j] = 0;
    for (int64_t j = seen.hi; j < n; ++j) x[j] = 0;
    if (offset != nullptr) {
      const T top = ceiling[i];
#pragma omp simd
      for (int64_t j = seen.lo; j < seen.hi; ++j) x[j] = (x[j] + plus) * row_exp(offset[j] - top);
    } else if (add != nullptr) {
#pragma omp simd
      for (int64_t j = seen.lo; j < seen.hi; ++j) x[j] += plus;
    }
    if (seen.skip >= seen.lo && seen.skip < seen.hi) x[seen.skip] = 0;
  }
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

/// Gradient g of the output into that of the numerator, g inverse, and of the denominator,
/// shift[i] = -(g . out) inverse.
template <typename T>
TENFOLD_VECTOR_CLONES void split_output_gradient(tile::Rows<const T> g, tile::Rows<const T> out,
                                                 const T* inverse, int64_t rows, int64_t n,
                                                 tile::Rows<T> numerator, T* shift) {
  for (int64_t i = 0; i < rows; ++i) {
    const T *from = g[i], *other = out[i];
    T* to = numerator[i];
    const T f = inverse[i];
    T along = 0;
#pragma omp simd reduction(+ : along)
    for (int64_t e = 0; e < n; ++e) {
      along += from[e] * other[e];
      to[e] = f * from[e];
    }
    shift[i] = -f * along;
  }
}

}  // namespace tenfold::nn

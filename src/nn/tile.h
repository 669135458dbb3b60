// Products and transposes of small matrices that lie in cache: the arithmetic of kernels that work
// tile by tile. Not here: large products (product.h), or what a tile means.
//
// A vector is 64 bytes: 16 float or 8 double numbers; widths that are written are whole vectors.
#pragma once

#include <cstdint>
#include <type_traits>

#include "tensor/vector_clones.h"

namespace tenfold::nn::tile {

template <typename T>
struct Vector {
  static constexpr int64_t lanes = 64 / sizeof(T);
  typedef T type __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
};

/// `n` numbers as whole vectors.
template <typename T>
constexpr int64_t padded(int64_t n) {
  return (n + Vector<T>::lanes - 1) / Vector<T>::lanes * Vector<T>::lanes;
}

/// Rows of numbers, `stride` apart.
template <typename T>
struct Rows {
  T* data;
  int64_t stride;
  T* operator[](int64_t i) const { return data + i * stride; }
  operator Rows<const T>() const { return {data, stride}; }  // NOLINT(google-explicit-constructor)
};

/// A matrix of a product: element (i, k) stands at data[i * row + k * column].
template <typename T>
struct Factor {
  const T* data;
  int64_t row, column;
};

template <typename T>
Factor<T> as_is(const T* data, int64_t stride) {
  return {data, stride, 1};
}
template <typename T>
Factor<T> transposed(const T* data, int64_t stride) {
  return {data, 1, stride};
}

template <typename T, int kRows, int kVectors>
[[gnu::always_inline]] inline void product_block(Factor<T> a, const T* b, int64_t ldb, T* c,
                                                 int64_t ldc, int64_t depth, bool add) {
  using V = typename Vector<T>::type;
  constexpr int64_t lanes = Vector<T>::lanes;
  V sum[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      V zero = {};
      sum[i][j] = add ? *reinterpret_cast<const V*>(c + i * ldc + j * lanes) : zero;
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    V right[kVectors];
    for (int j = 0; j < kVectors; ++j)
      right[j] = *reinterpret_cast<const V*>(b + k * ldb + j * lanes);
    for (int i = 0; i < kRows; ++i) {
      const T left = a.data[i * a.row + k * a.column];
      for (int j = 0; j < kVectors; ++j) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) *reinterpret_cast<V*>(c + i * ldc + j * lanes) = sum[i][j];
  }
}

template <typename T, int kVectors>
[[gnu::always_inline]] inline void product_panel(Factor<T> a, const T* b, int64_t ldb, T* c,
                                                 int64_t ldc, int64_t rows, int64_t depth,
                                                 bool add) {
  int64_t i = 0;
  const auto advance = [&](int64_t done) {
    i += done;
    a.data += done * a.row;
    c += done * ldc;
  };
  for (; i + 6 <= rows; advance(6)) product_block<T, 6, kVectors>(a, b, ldb, c, ldc, depth, add);
  if (i + 4 <= rows) {
    product_block<T, 4, kVectors>(a, b, ldb, c, ldc, depth, add);
    advance(4);
  }
  if (i + 2 <= rows) {
    product_block<T, 2, kVectors>(a, b, ldb, c, ldc, depth, add);
    advance(2);
  }
  if (i < rows) product_block<T, 1, kVectors>(a, b, ldb, c, ldc, depth, add);
}

/// c = a b, or c += a b: c [rows, columns] with rows ldc apart, b [depth, columns] with rows ldb
/// apart, columns a whole number of vectors.
template <typename T>
TENFOLD_VECTOR_CLONES void product(Factor<T> a, const T* b, int64_t ldb, T* c, int64_t ldc,
                                   int64_t rows, int64_t columns, int64_t depth, bool add) {
  constexpr int64_t lanes = Vector<T>::lanes;
  int64_t j = 0;
  for (; j + 4 * lanes <= columns; j += 4 * lanes)
    product_panel<T, 4>(a, b + j, ldb, c + j, ldc, rows, depth, add);
  if (j + 2 * lanes <= columns) {
    product_panel<T, 2>(a, b + j, ldb, c + j, ldc, rows, depth, add);
    j += 2 * lanes;
  }
  if (j < columns) product_panel<T, 1>(a, b + j, ldb, c + j, ldc, rows, depth, add);
}

/// to [columns, rows] = from [rows, columns], both with whole vectors behind every row and enough
/// rows for whole vectors.
template <typename T>
TENFOLD_VECTOR_CLONES void transpose(const T* from, int64_t from_stride, T* to, int64_t to_stride,
                                     int64_t rows, int64_t columns) {
  using V = typename Vector<T>::type;
  constexpr int64_t lanes = Vector<T>::lanes;
  for (int64_t i = 0; i < rows; i += lanes) {
    for (int64_t j = 0; j < columns; j += lanes) {
#if defined(__GNUC__) && !defined(__clang__)
      // Blocks of 1, 2, 4 ... are exchanged across the diagonal.
      typedef decltype(V{} < V{}) Mask;
      using Lane = std::remove_reference_t<decltype(Mask{}[0])>;
      V v[lanes];
      for (int64_t r = 0; r < lanes; ++r)
        v[r] = *reinterpret_cast<const V*>(from + (i + r) * from_stride + j);
#pragma GCC unroll 4
      for (int64_t d = 1; d < lanes; d *= 2) {
        Mask low, high;
        for (int64_t l = 0; l < lanes; ++l) {
          low[l] = static_cast<Lane>((l & d) != 0 ? lanes + l - d : l);
          high[l] = static_cast<Lane>((l & d) != 0 ? lanes + l : l + d);
        }
#pragma GCC unroll 16
        for (int64_t r = 0; r < lanes; ++r) {
          if ((r & d) != 0) continue;
          const V a = v[r], b = v[r + d];
          v[r] = __builtin_shuffle(a, b, low);
          v[r + d] = __builtin_shuffle(a, b, high);
        }
      }
      for (int64_t r = 0; r < lanes; ++r)
        *reinterpret_cast<V*>(to + (j + r) * to_stride + i) = v[r];
#else
      for (int64_t r = 0; r < lanes; ++r) {
        for (int64_t c = 0; c < lanes; ++c)
          to[(j + c) * to_stride + i + r] = from[(i + r) * from_stride + j + c];
      }
#endif
    }
  }
}

/// Asks for rows that will be read or written soon: rows of one head lie too far apart for the
/// processor to guess.
template <typename T>
void expect_rows(const T* rows, int64_t stride, int64_t count, int64_t width) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < count; ++i) {
    // Into the second cache: rows a power of two apart share few places of the first.
    for (int64_t e = 0; e < width; e += kLine) __builtin_prefetch(rows + i * stride + e, 0, 2);
  }
}

/// The sum of a * b over n numbers, n a whole number of vectors.
template <typename T>
[[gnu::always_inline]] inline T dot(const T* a, const T* b, int64_t n) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace tenfold::nn::tile

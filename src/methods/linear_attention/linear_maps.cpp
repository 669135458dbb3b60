// Feature maps: each a class for numbers of one kind, once by operators and once on tiles.
// Not here: sums over keys.
#include "methods/linear_attention/linear_maps.h"

#include <cmath>
#include <limits>

#include "nn/softmax_rows.h"
#include "nn/tile.h"
#include "support/fail.h"
#include "tensor/vector_clones.h"

namespace tenfold::linear_attention {

using nn::FeatureTiles;
using nn::KeyFeatures;
namespace tile = nn::tile;

struct EluPlusOne {
  template <typename T>
  T value(T x) const {
    return x > 0 ? x + T(1) : nn::row_exp(x);
  }
  template <typename T>
  T slope(T, T feature) const {
    return feature < T(1) ? feature : T(1);
  }
};

struct ReluPlus {
  double offset;
  template <typename T>
  T value(T x) const {
    return (x > 0 ? x : T(0)) + static_cast<T>(offset);
  }
  template <typename T>
  T slope(T x, T) const {
    return x > 0 ? T(1) : T(0);
  }
};

struct Square {
  template <typename T>
  T value(T x) const {
    return x * x;
  }
  template <typename T>
  T slope(T x, T) const {
    return 2 * x;
  }
};

template <typename T, typename F>
TENFOLD_VECTOR_CLONES void map_rows(const F& f, tile::Rows<const T> x, int64_t rows, int64_t width,
                                    tile::Rows<T> feature) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* in = x[i];
    T* out = feature[i];
#pragma omp simd
    for (int64_t e = 0; e < width; ++e) out[e] = f.value(in[e]);
    for (int64_t e = width; e < tile::padded<T>(width); ++e) out[e] = 0;
  }
}

template <typename T, typename F>
TENFOLD_VECTOR_CLONES void map_rows_backward(const F& f, tile::Rows<const T> x, int64_t rows,
                                             int64_t width, tile::Rows<const T> feature,
                                             tile::Rows<const T> dfeature, tile::Rows<T> dx) {
  for (int64_t i = 0; i < rows; ++i) {
    const T *in = x[i], *out = feature[i], *dout = dfeature[i];
    T* din = dx[i];
#pragma omp simd
    for (int64_t e = 0; e < width; ++e) din[e] = dout[e] * f.slope(in[e], out[e]);
  }
}

/// Features number by number; queries and keys alike.
template <typename T, typename F>
class ElementTiles final : public FeatureTiles<T> {
 public:
  ElementTiles(F f, int64_t width) : f_(f), width_(width) {}
  void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const override {
    map_rows<T>(f_, x, rows, width_, feature);
  }
  void queries_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                        tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    map_rows_backward<T>(f_, x, rows, width_, feature, dfeature, dx);
  }

 private:
  F f_;
  int64_t width_;
};

template <typename T>
TENFOLD_VECTOR_CLONES void softmax_rows(tile::Rows<const T> x, int64_t rows, int64_t width,
                                        tile::Rows<T> feature) {
  for (int64_t i = 0; i < rows; ++i) {
    T* out = feature[i];
    nn::softmax_row(x[i], out, width, 0, width, -1, T(1));
    for (int64_t e = width; e < tile::padded<T>(width); ++e) out[e] = 0;
  }
}

/// dx = f (df - f . df).
template <typename T>
TENFOLD_VECTOR_CLONES void softmax_rows_backward(int64_t rows, int64_t width,
                                                 tile::Rows<const T> feature,
                                                 tile::Rows<const T> dfeature, tile::Rows<T> dx) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* dout = dfeature[i];
    T* out = dx[i];
    for (int64_t e = 0; e < width; ++e) out[e] = dout[e];
    nn::softmax_row_backward(feature[i], out, width, T(1), static_cast<const T*>(nullptr));
  }
}

/// exp(x) over its largest, which becomes the row's offset.
template <typename T>
TENFOLD_VECTOR_CLONES void exp_rows(tile::Rows<const T> x, int64_t rows, int64_t width,
                                    tile::Rows<T> feature, T* offset) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* in = x[i];
    T* out = feature[i];
    T top = -std::numeric_limits<T>::infinity();
    for (int64_t e = 0; e < width; ++e) top = in[e] > top ? in[e] : top;
#pragma omp simd
    for (int64_t e = 0; e < width; ++e) out[e] = nn::row_exp(in[e] - top);
    for (int64_t e = width; e < tile::padded<T>(width); ++e) out[e] = 0;
    offset[i] = top;
  }
}

template <typename T>
TENFOLD_VECTOR_CLONES void exp_rows_backward(int64_t rows, int64_t width,
                                             tile::Rows<const T> feature,
                                             tile::Rows<const T> dfeature, tile::Rows<T> dx) {
  for (int64_t i = 0; i < rows; ++i) {
    const T *out = feature[i], *dout = dfeature[i];
    T* din = dx[i];
#pragma omp simd
    for (int64_t e = 0; e < width; ++e) din[e] = out[e] * dout[e];
  }
}

/// Queries a softmax over the head's numbers; keys the same, or exp with an offset.
template <typename T>
class SoftmaxTiles final : public FeatureTiles<T> {
 public:
  SoftmaxTiles(int64_t width, bool exp_keys) : width_(width), exp_keys_(exp_keys) {}
  void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const override {
    softmax_rows<T>(x, rows, width_, feature);
  }
  void keys(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature, T* offset) const override {
    if (exp_keys_) {
      exp_rows<T>(x, rows, width_, feature, offset);
    } else {
      softmax_rows<T>(x, rows, width_, feature);
    }
  }
  void queries_backward(tile::Rows<const T>, int64_t rows, tile::Rows<const T> feature,
                        tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    softmax_rows_backward<T>(rows, width_, feature, dfeature, dx);
  }
  void keys_backward(tile::Rows<const T>, int64_t rows, tile::Rows<const T> feature,
                     tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    if (exp_keys_) {
      exp_rows_backward<T>(rows, width_, feature, dfeature, dx);
    } else {
      softmax_rows_backward<T>(rows, width_, feature, dfeature, dx);
    }
  }

 private:
  int64_t width_;
  bool exp_keys_;
};

/// 1 / |x|, and 0 for the zero vector.
template <typename T>
T inverse_norm(const T* x, int64_t width) {
  T sum = 0;
  for (int64_t e = 0; e < width; ++e) sum += x[e] * x[e];
  return sum > 0 ? T(1) / std::sqrt(sum) : T(0);
}

/// Features 1 and x / |x|.
template <typename T>
class TaylorTiles final : public FeatureTiles<T> {
 public:
  explicit TaylorTiles(int64_t width) : width_(width) {}
  void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const override {
    for (int64_t i = 0; i < rows; ++i) {
      const T* in = x[i];
      T* out = feature[i];
      const T scale = inverse_norm(in, width_);
      out[0] = 1;
      for (int64_t e = 0; e < width_; ++e) out[1 + e] = scale * in[e];
      for (int64_t e = 1 + width_; e < tile::padded<T>(1 + width_); ++e) out[e] = 0;
    }
  }
  void queries_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                        tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    for (int64_t i = 0; i < rows; ++i) {
      const T *unit = feature[i] + 1, *dunit = dfeature[i] + 1;
      T* din = dx[i];
      const T scale = inverse_norm(x[i], width_);
      T along = 0;
      for (int64_t e = 0; e < width_; ++e) along += unit[e] * dunit[e];
      for (int64_t e = 0; e < width_; ++e) din[e] = scale * (dunit[e] - along * unit[e]);
    }
  }

 private:
  int64_t width_;
};

template <typename T>
using EluTiles = ElementTiles<T, EluPlusOne>;
template <typename T>
using ReluTiles = ElementTiles<T, ReluPlus>;
template <typename T>
using SquareTiles = ElementTiles<T, Square>;

class EluMap final : public nn::TiledMap<EluTiles> {
 public:
  explicit EluMap(int64_t width) : TiledMap(width, EluPlusOne{}, width) {}
  Tensor queries(const Tensor& x_THE) const override { return at::elu(x_THE) + 1; }
};

class ReluMap final : public nn::TiledMap<ReluTiles> {
 public:
  ReluMap(int64_t width, double offset)
      : TiledMap(width, ReluPlus{offset}, width), offset_(offset) {}
  Tensor queries(const Tensor& x_THE) const override { return at::relu(x_THE) + offset_; }

 private:
  double offset_;
};

class SquareMap final : public nn::TiledMap<SquareTiles> {
 public:
  explicit SquareMap(int64_t width) : TiledMap(width, Square{}, width) {}
  Tensor queries(const Tensor& x_THE) const override { return x_THE * x_THE; }
};

class SoftmaxMap final : public nn::TiledMap<SoftmaxTiles> {
 public:
  SoftmaxMap(int64_t width, bool exp_keys)
      : TiledMap(width, width, exp_keys), exp_keys_(exp_keys) {}
  bool has_offsets() const override { return exp_keys_; }
  Tensor queries(const Tensor& x_THE) const override { return at::softmax(x_THE, -1); }
  KeyFeatures keys(const Tensor& x_SHE) const override {
    if (!exp_keys_) return {queries(x_SHE), {}};
    const Tensor top_SH = x_SHE.detach().amax(-1);
    return {(x_SHE - top_SH.unsqueeze(-1)).exp(), top_SH};
  }

 private:
  bool exp_keys_;
};

class TaylorMap final : public nn::TiledMap<TaylorTiles> {
 public:
  explicit TaylorMap(int64_t width) : TiledMap(1 + width, width) {}
  Tensor queries(const Tensor& x_THE) const override {
    const Tensor square_TH1 = (x_THE * x_THE).sum(-1, true);
    const Tensor some = square_TH1 > 0;
    const Tensor unit_THE = at::where(some, x_THE * at::where(some, square_TH1, 1.0).rsqrt(), 0.0);
    return at::cat({torch::ones_like(square_TH1), unit_THE}, -1);
  }
};

std::shared_ptr<const nn::FeatureMap> make_map(const Options& options, int64_t head_size) {
  switch (options.feature_map) {
    case Map::elu1: return std::make_shared<EluMap>(head_size);
    case Map::relu: return std::make_shared<ReluMap>(head_size, options.relu_offset);
    case Map::squared: return std::make_shared<SquareMap>(head_size);
    case Map::softmax: return std::make_shared<SoftmaxMap>(head_size, false);
    case Map::taylor: return std::make_shared<TaylorMap>(head_size);
    case Map::efficient:
    case Map::efficient_scalar: return std::make_shared<SoftmaxMap>(head_size, true);
  }
  fail(ErrorKind::internal, "attention", "no such feature map");
}

}  // namespace tenfold::linear_attention

// Random features by operators and on tiles.
// Not here: other programs' forms of them (compatible_features.h).
#include "methods/performer/performer_map.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "nn/softmax_rows.h"
#include "nn/tile.h"
#include "tensor/vector_clones.h"

namespace tenfold::performer {
namespace {

using nn::KeyFeatures;
namespace tile = nn::tile;

template <typename T>
TENFOLD_VECTOR_CLONES T largest(const T* x, int64_t n) {
  T top = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < n; ++i) top = x[i] > top ? x[i] : top;
  return top;
}

template <typename T>
TENFOLD_VECTOR_CLONES T largest_size(const T* x, int64_t n) {
  T top = 0;
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < n; ++i) {
    const T size = x[i] < 0 ? -x[i] : x[i];
    top = size > top ? size : top;
  }
  return top;
}

/// u becomes exp(u - top); with `mirror` exp(-u - top) follows it.
template <typename T>
TENFOLD_VECTOR_CLONES void exponentials(T* u, int64_t n, T top, bool mirror) {
  if (mirror) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) u[n + i] = nn::row_exp(-u[i] - top);
  }
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) u[i] = nn::row_exp(u[i] - top);
}

/// d = d f, minus the mirrored half's; returns sum of d f over all features.
template <typename T>
TENFOLD_VECTOR_CLONES T exponentials_backward(const T* f, T* d, int64_t n, bool mirror) {
  T sum = 0;
  if (!mirror) {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) {
      d[i] *= f[i];
      sum += d[i];
    }
    return sum;
  }
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) {
    const T up = d[i] * f[i], down = d[n + i] * f[n + i];
    d[i] = up - down;
    sum += up + down;
  }
  return sum;
}

template <typename T>
TENFOLD_VECTOR_CLONES void subtract_scaled(T* to, const T* x, T factor, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] -= factor * x[i];
}

template <typename T>
class RandomTiles final : public nn::FeatureTiles<T> {
 public:
  /// scaled_MD: the directions times D^(-1/4).
  RandomTiles(Kernel kernel, const Tensor& scaled_MD, double epsilon)
      : kernel_(kernel),
        directions_(scaled_MD.size(0)),
        width_(scaled_MD.size(1)),
        head_stride_(tile::padded<T>(width_)),
        direction_stride_(tile::padded<T>(directions_)),
        // |x^|^2 / 2 = |x|^2 / (2 sqrt(D)).
        half_norm_(static_cast<T>(0.5 / std::sqrt(static_cast<double>(width_)))),
        epsilon_(static_cast<T>(epsilon)) {
    rows_.assign(static_cast<size_t>(directions_ * head_stride_), T(0));
    columns_.assign(static_cast<size_t>(width_ * direction_stride_), T(0));
    const Tensor host = scaled_MD.to(torch::kCPU, torch::kDouble).contiguous();
    const auto* w = host.const_data_ptr<double>();
    for (int64_t m = 0; m < directions_; ++m) {
      for (int64_t d = 0; d < width_; ++d) {
        rows_[static_cast<size_t>(m * head_stride_ + d)] = static_cast<T>(w[m * width_ + d]);
        columns_[static_cast<size_t>(d * direction_stride_ + m)] =
            static_cast<T>(w[m * width_ + d]);
      }
    }
  }

  void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const override {
    fill(x, rows, feature, nullptr);
  }
  void keys(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature, T* offset) const override {
    fill(x, rows, feature, offset);
  }
  void queries_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                        tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    turn_back(x, rows, feature, dfeature, dx, false);
  }
  void keys_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                     tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    turn_back(x, rows, feature, dfeature, dx, true);
  }

 private:
  int64_t features() const { return directions_ * features_of_direction(kernel_); }

  void fill(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature, T* offset) const {
    tile::product(tile::as_is(x.data, x.stride), columns_.data(), direction_stride_, feature.data,
                  feature.stride, rows, direction_stride_, width_, false);
    for (int64_t i = 0; i < rows; ++i) {
      T* f = feature[i];
      const T half = half_norm_ * tile::dot(x[i], x[i], head_stride_);
      T row_offset = 0;
      if (kernel_ == Kernel::relu) {
        for (int64_t m = 0; m < directions_; ++m) f[m] = (f[m] > 0 ? f[m] : T(0)) + epsilon_;
      } else if (kernel_ == Kernel::trigonometric) {
        row_offset = half;
        for (int64_t m = directions_ - 1; m >= 0; --m) {
          f[directions_ + m] = std::cos(f[m]);
          f[m] = std::sin(f[m]);
        }
      } else {
        const bool mirror = kernel_ == Kernel::hyperbolic;
        const T top = mirror ? largest_size(f, directions_) : largest(f, directions_);
        exponentials(f, directions_, top, mirror);
        row_offset = top - half;
      }
      if (offset != nullptr) offset[i] = row_offset;
      for (int64_t r = features(); r < tile::padded<T>(features()); ++r) f[r] = 0;
    }
  }

  void turn_back(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                 tile::Rows<T> dfeature, tile::Rows<T> dx, bool keys) const {
    std::array<T, 64> along{};
    for (int64_t i = 0; i < rows; ++i) {
      const T* f = feature[i];
      T* d = dfeature[i];
      if (kernel_ == Kernel::relu) {
        for (int64_t m = 0; m < directions_; ++m) d[m] = f[m] > epsilon_ ? d[m] : T(0);
      } else if (kernel_ == Kernel::trigonometric) {
        T sum = 0;
        for (int64_t m = 0; m < directions_; ++m) {
          const T sine = f[m], cosine = f[directions_ + m], dcosine = d[directions_ + m];
          sum += d[m] * sine + dcosine * cosine;
          d[m] = d[m] * cosine - dcosine * sine;
        }
        along[static_cast<size_t>(i)] = -sum;
      } else {
        along[static_cast<size_t>(i)] =
            exponentials_backward(f, d, directions_, kernel_ == Kernel::hyperbolic);
      }
    }
    tile::product(tile::as_is<T>(dfeature.data, dfeature.stride), rows_.data(), head_stride_,
                  dx.data, dx.stride, rows, head_stride_, directions_, false);
    if (!keys) return;
    for (int64_t i = 0; i < rows; ++i)
      subtract_scaled(dx[i], x[i], 2 * half_norm_ * along[static_cast<size_t>(i)], width_);
  }

  Kernel kernel_;
  int64_t directions_, width_, head_stride_, direction_stride_;
  T half_norm_, epsilon_;
  std::vector<T> rows_, columns_;  ///< the directions as [m, D] and as [D, m], in whole vectors
};

class RandomMap final : public nn::FeatureMap {
 public:
  RandomMap(Kernel kernel, const Tensor& projection_MD, double epsilon)
      : kernel_(kernel),
        epsilon_(epsilon),
        scaled_MD_(projection_MD.detach().to(torch::kDouble) *
                   std::pow(static_cast<double>(projection_MD.size(1)), -0.25)),
        floats_(kernel, scaled_MD_, epsilon),
        doubles_(kernel, scaled_MD_, epsilon) {}

  int64_t features() const override { return scaled_MD_.size(0) * features_of_direction(kernel_); }
  bool has_offsets() const override { return kernel_ != Kernel::relu; }

  Tensor queries(const Tensor& x_THE) const override { return mapped(x_THE, false).feature_SHR; }
  KeyFeatures keys(const Tensor& x_SHE) const override { return mapped(x_SHE, true); }
  const nn::FeatureTiles<float>& float_tiles() const override { return floats_; }
  const nn::FeatureTiles<double>& double_tiles() const override { return doubles_; }

 private:
  KeyFeatures mapped(const Tensor& x_RHE, bool keys) const {
    const Tensor u =
        at::matmul(x_RHE, scaled_MD_.to(x_RHE.device(), x_RHE.scalar_type()).transpose(0, 1));
    if (kernel_ == Kernel::relu) return {at::relu(u) + epsilon_, {}};
    const Tensor half =
        (x_RHE * x_RHE).sum(-1, true) * (0.5 / std::sqrt(static_cast<double>(scaled_MD_.size(1))));
    if (kernel_ == Kernel::trigonometric) {
      const Tensor waves = at::cat({u.sin(), u.cos()}, -1);
      if (!keys) return {waves, {}};
      const Tensor offset = half.detach();
      return {waves * (half - offset).exp(), offset.squeeze(-1)};
    }
    Tensor exponent = kernel_ == Kernel::hyperbolic ? at::cat({u, -u}, -1) : u;
    if (keys) exponent = exponent - half;
    const Tensor offset = exponent.detach().amax(-1, true);
    return {(exponent - offset).exp(), keys ? offset.squeeze(-1) : Tensor()};
  }

  Kernel kernel_;
  double epsilon_;
  Tensor scaled_MD_;
  RandomTiles<float> floats_;
  RandomTiles<double> doubles_;
};

}  // namespace

std::shared_ptr<const nn::FeatureMap> make_map(Kernel kernel, const Tensor& projection_MD,
                                               double epsilon) {
  return std::make_shared<RandomMap>(kernel, projection_MD, epsilon);
}

}  // namespace tenfold::performer

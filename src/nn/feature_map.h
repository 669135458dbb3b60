// Feature maps of attention without a softmax over keys: the weight of key j for query i is
// f(q_i) . g(k_j), with f and g not negative. Not here: any map (the methods have them), or the
// sums over keys (feature_scan.h).
//
// T query rows, S key rows, H heads, E head size, R features.
#pragma once

#include <cstdint>
#include <memory>

#include "nn/tile.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// A map on the CPU, a tile of one head's rows at a time. Rows of x have zeros behind the head size
/// up to a whole vector (tile.h); those of `feature` get zeros behind the features up to a whole
/// vector. Keys are mapped as queries are unless a map says otherwise. Const and thread-safe.
template <typename T>
class FeatureTiles {
 public:
  virtual ~FeatureTiles() = default;
  virtual void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const = 0;
  /// Key row j weighs exp(offset[j]) times its features, where the map has offsets; they keep the
  /// features of any key within range, and cancel in the result.
  virtual void keys(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature, T* offset) const {
    static_cast<void>(offset);
    queries(x, rows, feature);
  }
  /// dx from the gradient of the features, which it may overwrite; offsets count as constants.
  virtual void queries_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                                tile::Rows<T> dfeature, tile::Rows<T> dx) const = 0;
  virtual void keys_backward(tile::Rows<const T> x, int64_t rows, tile::Rows<const T> feature,
                             tile::Rows<T> dfeature, tile::Rows<T> dx) const {
    queries_backward(x, rows, feature, dfeature, dx);
  }
};

/// Features of keys; each key's weight is exp(offset) times them. offset undefined: all 0.
struct KeyFeatures {
  Tensor feature_SHR, offset_SH;
};

class FeatureMap {
 public:
  virtual ~FeatureMap() = default;
  virtual int64_t features() const = 0;  ///< R
  virtual bool has_offsets() const { return false; }

  /// The definition, by differentiable operators on any device.
  virtual Tensor queries(const Tensor& x_THE) const = 0;
  virtual KeyFeatures keys(const Tensor& x_SHE) const { return {queries(x_SHE), {}}; }

  /// The same on tiles.
  virtual const FeatureTiles<float>& float_tiles() const = 0;
  virtual const FeatureTiles<double>& double_tiles() const = 0;
};

/// A map with its tiles for both formats of numbers, made of the same arguments.
template <template <typename> typename Tiles>
class TiledMap : public FeatureMap {
 public:
  template <typename... Arguments>
  explicit TiledMap(int64_t features, Arguments... arguments)
      : features_(features), floats_(arguments...), doubles_(arguments...) {}
  int64_t features() const override { return features_; }
  const FeatureTiles<float>& float_tiles() const override { return floats_; }
  const FeatureTiles<double>& double_tiles() const override { return doubles_; }

 private:
  int64_t features_;
  Tiles<float> floats_;
  Tiles<double> doubles_;
};

template <typename T>
const FeatureTiles<T>& tiles_of(const FeatureMap& map) {
  if constexpr (std::is_same_v<T, float>) {
    return map.float_tiles();
  } else {
    return map.double_tiles();
  }
}

}  // namespace tenfold::nn

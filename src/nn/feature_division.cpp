// One denominator a feature (Shen et al. 2018, arXiv 1812.01243: a softmax over the keys for each
// number of the keys), for every mask. Not here: the sums that follow (feature_scan.cpp).
#include <algorithm>

#include "nn/feature_attention.h"
#include "nn/tile.h"
#include "nn/visible_range.h"

namespace tenfold::nn {

/// Features that are given.
template <typename T>
class GivenTiles final : public FeatureTiles<T> {
 public:
  explicit GivenTiles(int64_t width) : width_(width) {}
  void queries(tile::Rows<const T> x, int64_t rows, tile::Rows<T> feature) const override {
    copy(x, rows, feature, tile::padded<T>(width_));
  }
  void queries_backward(tile::Rows<const T>, int64_t rows, tile::Rows<const T>,
                        tile::Rows<T> dfeature, tile::Rows<T> dx) const override {
    copy(dfeature, rows, dx, width_);
  }

 private:
  static void copy(tile::Rows<const T> from, int64_t rows, tile::Rows<T> to, int64_t width) {
    for (int64_t i = 0; i < rows; ++i) std::copy_n(from[i], width, to[i]);
  }

  int64_t width_;
};

class GivenMap final : public TiledMap<GivenTiles> {
 public:
  explicit GivenMap(int64_t width) : TiledMap(width, width) {}
  Tensor queries(const Tensor& x_THE) const override { return x_THE; }
};

namespace {

/// Beyond it fp64's exponential leaves its range.
constexpr double kLargestExponent = 600;

/// Sums of rows [m, H, R] before each place, [m + 1, H, R]; behind: from each place on.
Tensor running_sums(const Tensor& x_MHR, bool behind) {
  const Tensor none = torch::zeros_like(x_MHR.narrow(0, 0, 1));
  if (behind) return at::cat({x_MHR.flip(0).cumsum(0).flip(0), none});
  return at::cat({none, x_MHR.cumsum(0)});
}

/// What each query of a sequence sees of its keys' features, added up: [n, H, R].
Tensor visible_sums(const Tensor& feature_MHR, const AttentionSequence& s) {
  std::vector<int64_t> before, behind;
  const int64_t keys = s.seen_keys();
  for (int64_t i = 0; i < s.queries; ++i) {
    const VisibleRange range = visible_range(s, i);
    if (s.kind == See::future) {
      before.push_back(0);
      behind.push_back(range.lo);
    } else {
      before.push_back(range.skip >= 0 ? range.skip : range.hi);
      behind.push_back(range.skip >= 0 ? range.skip + 1 : keys);
    }
  }
  const auto picked = [&](bool back, const std::vector<int64_t>& at) {
    return running_sums(feature_MHR, back)
        .index_select(0, torch::tensor(at, torch::kInt64).to(feature_MHR.device()));
  };
  if (s.kind == See::future) return picked(true, behind);
  const Tensor sums = picked(false, before);
  return s.kind == See::others ? sums + picked(true, behind) : sums;
}

}  // namespace

std::shared_ptr<const FeatureMap> given_features(int64_t width) {
  return std::make_shared<GivenMap>(width);
}

DividedFeatures divide_features(const Tensor& query_THE, const Tensor& key_SHE,
                                const std::vector<RecurrentState>& states,
                                const FeaturePlan& plan) {
  const KeyFeatures keys = plan.map->keys(key_SHE.to(torch::kDouble));
  Tensor key_SHR = keys.feature_SHR;
  if (keys.offset_SH.defined()) {
    key_SHR = (key_SHR.log() + keys.offset_SH.unsqueeze(-1))
                  .clamp(-kLargestExponent, kLargestExponent)
                  .exp();
  }
  const Tensor query_THR = plan.map->queries(query_THE.to(torch::kDouble));
  std::vector<Tensor> divided{query_THR.narrow(0, 0, 0)};
  for (size_t b = 0; b < plan.sequences.size(); ++b) {
    const AttentionSequence& s = plan.sequences[b];
    if (s.queries == 0) continue;
    Tensor own = key_SHR.narrow(0, s.key_begin, s.keys);
    if (s.has_holes)
      own = own.index_select(0, torch::tensor(s.kept, torch::kInt64).to(own.device()));
    Tensor sum_NHR =
        own.size(0) > 0
            ? visible_sums(own, s)
            : torch::zeros({s.queries, query_THR.size(1), query_THR.size(2)}, query_THR.options());
    if (b < states.size() && states[b].normalizer_HR.defined())
      sum_NHR = sum_NHR + states[b].normalizer_HR;
    const Tensor some = sum_NHR > 0;
    divided.push_back(at::where(
        some, query_THR.narrow(0, s.query_begin, s.queries) / at::where(some, sum_NHR, 1.0), 0.0));
  }
  DividedFeatures out{at::cat(divided), key_SHR, plan};
  out.plan.map = given_features(query_THR.size(2));
  out.plan.denominator = Denominator::none;
  return out;
}

}  // namespace tenfold::nn

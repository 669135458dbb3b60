// Sums a head, and the means they give.
// Not here: which passes are observed.
#include "nn/attention_statistics.h"

#include <algorithm>
#include <cmath>

namespace tenfold::nn {
namespace {

constexpr double kSparseShare = 1e-2;  // of the weight that every visible key would have alike

double at_head(const Tensor& x_H, size_t head) {
  return x_H[static_cast<int64_t>(head)].item<double>();
}

}  // namespace

void AttentionStatistics::see(const ObservedAttention& observed) {
  if (observed.side != Side::self) return;
  const torch::NoGradGuard no_grad;
  const Tensor seen_NM = observed.seen_NM.to(torch::kCPU);
  const Tensor visible_N1 = seen_NM.sum(1, true).to(torch::kDouble);
  const double queries = visible_N1.gt(0).sum().item<double>();
  if (queries == 0) return;
  const auto layer = static_cast<size_t>(observed.layer);
  if (sums_.size() <= layer) sums_.resize(layer + 1);
  Sums& sums = sums_[layer];
  const auto on_host = [](const Tensor& x) { return x.to(torch::kCPU, torch::kDouble); };
  const Tensor weight_HNM = on_host(observed.weight_HNM);
  const Tensor score_HNM = on_host(observed.score_HNM).masked_fill(seen_NM.logical_not(), 0);
  if (!sums.entropy_H.defined()) {
    const Tensor zero_H = torch::zeros({weight_HNM.size(0)}, torch::kDouble);
    sums = {zero_H.clone(), zero_H.clone(), zero_H.clone(), zero_H.clone(), zero_H.clone()};
  }
  sums.entropy_H += at::special_entr(weight_HNM).sum({1, 2});
  const Tensor few_NM = visible_N1.clamp_min(1).reciprocal().mul(kSparseShare).expand_as(seen_NM);
  sums.sparse_H += weight_HNM.lt(few_NM).logical_and(seen_NM).sum({1, 2}).to(torch::kDouble);
  sums.largest_H = sums.largest_H.maximum(score_HNM.abs().amax({1, 2}));
  sums.score_H += score_HNM.sum({1, 2});
  sums.square_H += score_HNM.square().sum({1, 2});
  sums.queries += queries;
  sums.pairs += visible_N1.sum().item<double>();
}

bool AttentionStatistics::wants_more() const {
  return most_queries_ == 0 || std::none_of(sums_.begin(), sums_.end(), [&](const Sums& sums) {
           return sums.queries >= static_cast<double>(most_queries_);
         });
}

std::vector<LayerStatistics> AttentionStatistics::layers() const {
  std::vector<LayerStatistics> layers;
  for (const Sums& sums : sums_) {
    LayerStatistics layer;
    const size_t heads = sums.entropy_H.defined() ? static_cast<size_t>(sums.entropy_H.size(0)) : 0;
    for (size_t h = 0; h < heads; ++h) {
      const double mean = at_head(sums.score_H, h) / sums.pairs;
      const double variance = at_head(sums.square_H, h) / sums.pairs - mean * mean;
      layer.heads.push_back({.entropy = at_head(sums.entropy_H, h) / sums.queries,
                             .sparsity = at_head(sums.sparse_H, h) / sums.pairs,
                             .largest_score = at_head(sums.largest_H, h),
                             .deviation = std::sqrt(std::max(0.0, variance))});
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

HeadStatistics LayerStatistics::mean() const {
  HeadStatistics sum;
  for (const HeadStatistics& head : heads) {
    const auto share = 1.0 / static_cast<double>(heads.size());
    sum.entropy += share * head.entropy;
    sum.sparsity += share * head.sparsity;
    sum.deviation += share * head.deviation;
    sum.largest_score = std::max(sum.largest_score, head.largest_score);
  }
  return sum;
}

std::vector<double> score_growth(const std::vector<LayerStatistics>& layers) {
  std::vector<double> growth;
  double first = 0;
  for (const LayerStatistics& layer : layers) {
    const double deviation = layer.mean().deviation;
    if (first == 0) first = deviation;
    growth.push_back(first > 0 ? deviation / first : 0);
  }
  return growth;
}

}  // namespace tenfold::nn

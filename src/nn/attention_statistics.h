// Figures of attention a layer and head: how spread out its weights are, and how large its scores.
// Not here: computing attention, or tables and pictures of it (eval/attention_report.h).
#pragma once

#include <cstdint>
#include <vector>

#include "nn/attention_observer.h"

namespace tenfold::nn {

/// Means over every query that sees a key, of one head of one layer.
struct HeadStatistics {
  double entropy =
      0;  ///< of a query's weights, in nats; ln of the visible keys where all are equal
  double sparsity = 0;       ///< share of the visible weights below a hundredth of 1 / visible keys
  double largest_score = 0;  ///< largest absolute raw score of a visible pair
  double deviation = 0;      ///< of the raw scores of visible pairs, around their mean
};

struct LayerStatistics {
  std::vector<HeadStatistics> heads;  ///< empty: this layer's kind forms no scores
  /// Means over the heads; largest_score is the largest.
  HeadStatistics mean() const;
};

/// Adds up what it sees of self-attention; layers() may be asked at any time.
class AttentionStatistics final : public AttentionObserver {
 public:
  /// `most_queries`: queries of a layer after which no further pass is observed; 0: no limit.
  explicit AttentionStatistics(int64_t most_queries = 0) : most_queries_(most_queries) {}

  void see(const ObservedAttention& observed) override;
  bool wants_more() const override;
  std::vector<LayerStatistics> layers() const;

 private:
  /// Sums over queries and pairs, [H] each, in fp64.
  struct Sums {
    Tensor entropy_H, sparse_H, largest_H, score_H, square_H;
    double queries = 0, pairs = 0;
  };
  std::vector<Sums> sums_;
  int64_t most_queries_;
};

/// Deviation of a layer's scores relative to that of the first layer that has some; 0 for layers
/// without scores.
std::vector<double> score_growth(const std::vector<LayerStatistics>& layers);

}  // namespace tenfold::nn

// Attention with ordinary query, key and value projections; kinds differ in how they mix.
// Not here: the mixing, or attention without projections of its own keys.
//
// T query rows, S key rows, H heads, E head size.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "nn/attention_table.h"
#include "nn/linear.h"
#include "nn/packing.h"

namespace tenfold::nn {

/// Parameters "query.*", "key.*", "value.*"; one product computes all three where query and source
/// are one tensor.
class ProjectedAttention : public Attention, public Packable {
 public:
  ProjectedAttention(const AttentionShape& shape, uint64_t seed, torch::TensorOptions options);

  AttentionOut forward(const AttentionIn& in) const final;
  /// What forward does between its projections and the output: checks, and mixes rows that are
  /// projected already. Of in.query_TD and in.source_SD the number of rows counts alone.
  AttentionOut mix_heads(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const AttentionIn& in) const;
  /// Queries, keys and values of self-attention, [T, H, E] each.
  std::array<Tensor, 3> projected(const Tensor& x_TD) const;
  void pack_for_inference(std::optional<at::ScalarType> type) override;
  void unpack() override { packed_ = {}; }
  const AttentionShape& shape() const { return shape_; }
  double scale() const;  ///< of the scores
  /// Arithmetic of the three projections (attention_flops()).
  static double projection_flops(const AttentionShape& shape, const AttentionLoad& load);

 protected:
  /// key_SHE and value_SHE are undefined where the keys come from memory. Returns context_THE in
  /// any layout.
  virtual AttentionOut mix(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                           const AttentionIn& in) const = 0;

 private:
  AttentionOut mixed_rows(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                          const AttentionIn& in) const;
  struct Joined {
    Tensor weight, bias;  ///< one below the other
  };
  /// `count` of query, key and value from `first` on.
  Joined joined(size_t first, size_t count) const;
  /// The same as one product: [T, count H E].
  Tensor fused_projection(const Tensor& x_TD, size_t first, size_t count) const;
  std::vector<Tensor> unfused(const Tensor& fused, int64_t count) const;
  /// Queries of in.query_TD, keys and values of in.source_SD, whose rows asking_P the former is.
  std::array<Tensor, 3> projected_apart(const AttentionIn& in) const;

  AttentionShape shape_;
  std::shared_ptr<Linear> query_, key_, value_;
  PackedWeight packed_;
  NarrowWeight narrow_;  ///< of the three, one below the other
};

}  // namespace tenfold::nn

// Attention whose weights are products of features: plans, its obvious reference, its linear-time
// paths, and the base of the kinds that only choose a map. Not here: any map (the methods have
// them), or the kernel of one head (feature_scan.h).
//
// T query rows, S key rows, H heads, E head size, R features.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/attention_sequence.h"
#include "nn/feature_map.h"
#include "nn/projected_attention.h"

namespace tenfold::nn {

/// What the sums are divided by.
enum class Denominator : uint8_t {
  query,    ///< one number a query: its weights add up to 1
  feature,  ///< one a feature, sum_j g(k_j), before features are added up: f adds up to 1 already
  none,
};

/// What a pass asks besides tensors.
struct FeaturePlan {
  std::vector<AttentionSequence> sequences;
  std::shared_ptr<const FeatureMap> map;
  double epsilon = 0.0;  ///< added to the denominators of Denominator::query
  Denominator denominator = Denominator::query;
  double key_sum_offset = 0.0;  ///< where every entry of the sum of keys begins
};

/// Queries and keys that are features already, `width` of them.
std::shared_ptr<const FeatureMap> given_features(int64_t width);

/// context_THE by its definition, weights and all: for tests.
Tensor feature_reference(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const FeaturePlan& plan);
/// The same in time and memory linear in the length, with its own backward pass on the CPU; fp32 or
/// fp64 inside.
Tensor feature_fast(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const FeaturePlan& plan);
/// The same by operators over padded chunks, on any device.
Tensor feature_chunked(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                       const FeaturePlan& plan);

/// The form that is fastest on the tensors' device.
Tensor feature_attention(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const FeaturePlan& plan);

/// What the keys of one sequence have added up to, all heads; with a denominator a feature without
/// offsets and in fp64.
struct RecurrentState {
  Tensor sum_HRE, normalizer_HR, offset_H;  ///< undefined: nothing was seen
};

/// The next state of a sequence that sees these keys too; `keep_N` undefined: all.
RecurrentState extend_state(const RecurrentState& state, const Tensor& key_NHE,
                            const Tensor& value_NHE, const Tensor& keep_N, const FeaturePlan& plan);
/// context_THE of queries that see, besides the keys given, what their sequence's state has seen.
/// No gradients.
Tensor feature_step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const std::vector<RecurrentState>& states, const FeaturePlan& plan);

/// The attention of Denominator::feature, as Denominator::none of features that are divided before:
/// queries' features over the sums of what each query sees. In fp64, where exp(k) of any key stays
/// within range, so that no query depends on keys it does not see.
struct DividedFeatures {
  Tensor query_THR, key_SHR;
  FeaturePlan plan;
};
DividedFeatures divide_features(const Tensor& query_THE, const Tensor& key_SHE,
                                const std::vector<RecurrentState>& states, const FeaturePlan& plan);

/// A kind that chooses a map. Dropout of weights does not exist for it: there are none.
class FeatureAttention : public ProjectedAttention {
 public:
  using ProjectedAttention::ProjectedAttention;
  AttentionTraits traits() const override { return feature_traits(); }
  std::unique_ptr<AttentionMemory> new_memory(int64_t count, int64_t capacity) const override;

 protected:
  static AttentionTraits feature_traits();
  /// Projections and sums over keys, without the map.
  static double feature_flops(const AttentionShape& shape, int64_t features,
                              const AttentionLoad& load);
  /// The map of this pass.
  virtual FeaturePlan plan() const = 0;
  AttentionOut mix(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                   const AttentionIn& in) const override;
};

}  // namespace tenfold::nn

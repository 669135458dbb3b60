// Linear attention (Katharopoulos et al. 2020, arXiv 2006.16236): weights are products of features,
// so keys are summed once and the cost is linear in the length. Not here: the kernel
// (nn/feature_scan.h), the maps' arithmetic (linear_maps.h).
#pragma once

#include <memory>
#include <string>

#include "config/fields.h"
#include "nn/attention_table.h"
#include "nn/feature_attention.h"

namespace tenfold::linear_attention {

/// Features of queries and keys.
enum class Map : uint8_t {
  elu1,       ///< elu(x) + 1, the paper's
  relu,       ///< max(x, 0) + relu_offset
  squared,    ///< x^2, number by number
  softmax,    ///< a softmax over the head's numbers, of queries and of keys
  taylor,     ///< weight 1 + cosine of query and key: exp to first order, on unit vectors
  efficient,  ///< queries a softmax over the head's numbers, each number of the keys one over the
              ///< keys
  efficient_scalar,  ///< the same with one denominator a query in place of one a number
};

struct Options {
  Map feature_map = Map::elu1;
  double relu_offset = 1e-3;
  double epsilon = 0.0;  ///< added to denominators, as other programs do (1e-6)
  void fields(config::FieldVisitor& v);
};

class LinearAttention final : public nn::FeatureAttention {
 public:
  LinearAttention(const nn::AttentionShape& shape, const Options& options, uint64_t seed,
                  torch::TensorOptions tensor_options);
  static nn::AttentionTraits traits_of(const Options& options);
  static double flops_of(const nn::AttentionShape& shape, const Options& options,
                         const nn::AttentionLoad& load);
  nn::AttentionTraits traits() const override { return traits_of(options_); }

 protected:
  nn::FeaturePlan plan() const override;

 private:
  Options options_;
  std::shared_ptr<const nn::FeatureMap> map_;
};

/// Adds "linear" to the attention kinds.
void register_into(nn::AttentionTable& table);

}  // namespace tenfold::linear_attention

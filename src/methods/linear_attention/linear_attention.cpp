// Options of linear attention, and which path serves them.
// Not here: arithmetic.
#include "methods/linear_attention/linear_attention.h"

#include "methods/linear_attention/linear_maps.h"

namespace tenfold::linear_attention {

void Options::fields(config::FieldVisitor& v) {
  v.field("feature_map", feature_map, "what queries and keys become",
          {{"elu1", Map::elu1},
           {"relu", Map::relu},
           {"squared", Map::squared},
           {"softmax", Map::softmax},
           {"taylor", Map::taylor},
           {"efficient", Map::efficient},
           {"efficient_scalar", Map::efficient_scalar}});
  v.field("relu_offset", relu_offset, "added to the features of relu", config::at_least(0));
  v.field("epsilon", epsilon, "added to denominators; others use 1e-6", config::at_least(0));
}

LinearAttention::LinearAttention(const nn::AttentionShape& shape, const Options& options,
                                 uint64_t seed, torch::TensorOptions tensor_options)
    : FeatureAttention(shape, seed, tensor_options),
      options_(options),
      map_(make_map(options, shape.head_size)) {}

nn::AttentionTraits LinearAttention::traits_of(const Options&) { return feature_traits(); }

double LinearAttention::flops_of(const nn::AttentionShape& shape, const Options& options,
                                 const nn::AttentionLoad& load) {
  return feature_flops(shape, make_map(options, shape.head_size)->features(), load);
}

nn::FeaturePlan LinearAttention::plan() const {
  return {.sequences = {},
          .map = map_,
          .epsilon = options_.epsilon,
          .denominator = options_.feature_map == Map::efficient ? nn::Denominator::feature
                                                                : nn::Denominator::query};
}

}  // namespace tenfold::linear_attention

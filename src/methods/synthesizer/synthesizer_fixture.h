// Synthesizers of every form with small sizes, and their weights set by hand.
// Not here: what tests expect of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "methods/synthesizer/synthesizer.h"
#include "methods/synthesizer/synthesizer_attention.h"
#include "nn/attention_fixture.h"

namespace tenfold::synthesizer::testing {

using nn::Attention;
using nn::testing::Batch;
using nn::testing::context_of;
using nn::testing::kHeads;
using nn::testing::kHeadSize;
using nn::testing::kLongest;
using nn::testing::kWidth;
using nn::testing::make_batch;
using nn::testing::random_rows;
using nn::testing::run;
using nn::testing::worst;

inline std::shared_ptr<SynthesizerAttention> made(const SynthesizerOptions& options,
                                                  at::ScalarType dtype = at::kDouble,
                                                  bool residual_scores = false) {
  return std::make_shared<SynthesizerAttention>(
      nn::AttentionShape{.width = kWidth,
                         .heads = kHeads,
                         .head_size = kHeadSize,
                         .longest = kLongest,
                         .residual_scores = residual_scores,
                         .initializer_range = 0.5},
      options, 5, torch::TensorOptions().dtype(dtype));
}

/// Every form alone, and mixtures of each kind.
inline std::vector<SynthesizerOptions> all_options() {
  std::vector<SynthesizerOptions> all;
  for (const char* form : {"dense", "random", "fixed_random", "factorized_random"})
    all.push_back({.forms = {form}, .deviation = 1.0});
  for (const IndexMap index : {IndexMap::tile_repeat, IndexMap::tile_tile}) {
    all.push_back({.forms = {"factorized_dense"}, .index = index});
    all.push_back(
        {.forms = {"factorized_dense"}, .max_length = 18, .factors = {6, 3}, .index = index});
  }
  for (const MixtureWeights weights : {MixtureWeights::head, MixtureWeights::layer}) {
    all.push_back({.forms = {"dot_product", "dense", "random"},
                   .mixture_weights = weights,
                   .deviation = 1.0});
    all.push_back(
        {.forms = {"random", "factorized_random"}, .mixture_weights = weights, .deviation = 1.0});
  }
  all.push_back({.forms = {"factorized_dense", "fixed_random", "dot_product"},
                 .mixture = Mixture::sum,
                 .deviation = 1.0});
  return all;
}

inline std::string name_of(const SynthesizerOptions& options) {
  std::string name;
  for (const std::string& form : options.forms) name += form + " ";
  return name;
}

/// Mixtures start at equal weights; these are moved so that every weight shows.
inline void move_mixture(SynthesizerAttention& attention) {
  const torch::NoGradGuard no_grad;
  double step = 0.3;
  for (const auto& item : attention.named_parameters()) {
    if (item.key().starts_with("mixture.")) item.value().add_(step *= -1.7);
  }
}

inline void give(Attention& to, const std::string& name, const Tensor& value) {
  const torch::NoGradGuard no_grad;
  auto parameters = to.named_parameters();
  parameters[name].copy_(value);
}

inline void give_shared(Attention& to, const Attention& from) {
  const auto theirs = from.named_parameters();
  for (const auto& item : to.named_parameters()) {
    if (const Tensor* value = theirs.find(item.key())) give(to, item.key(), *value);
  }
}

}  // namespace tenfold::synthesizer::testing

// Batches, contexts and comparisons for tests of attention kinds.
// Not here: the properties (attention_properties_test.cpp).
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/attention_table.h"
#include "nn/softmax_attention.h"
#include "support/rng.h"

namespace tenfold::nn::testing {

inline constexpr int64_t kWidth = 12, kHeads = 3, kHeadSize = 4, kLongest = 16;

inline Tensor random_rows(int64_t rows, int64_t width, uint64_t seed,
                          at::ScalarType dtype = at::kDouble) {
  torch::NoGradGuard no_grad;
  Tensor x = torch::empty({rows, width}, torch::kDouble);
  RandomStream stream(seed, "test rows");
  for (int64_t i = 0; i < x.numel(); ++i)
    x.mutable_data_ptr<double>()[i] = 2 * stream.uniform() - 1;
  return x.to(dtype);
}

inline double worst(const Tensor& a, const Tensor& b) {
  if (a.numel() == 0) return a.sizes() == b.sizes() ? 0.0 : 1.0;
  return (a - b).abs().max().item<double>();
}

inline const std::vector<See> kAllKinds{See::all, See::past, See::future, See::prefix, See::others};

inline std::string kind_name(See see) {
  static const char* names[] = {"all", "past", "future", "prefix", "others"};
  return names[static_cast<size_t>(see)];
}

/// A batch of one mask kind, or (mixed) one kind after another.
struct Batch {
  SequenceLayout layout;
  MaskSpec mask;
  std::vector<uint64_t> examples;
};

inline Batch make_batch(const std::vector<int64_t>& lengths, const std::vector<See>& kinds) {
  Batch batch{SequenceLayout::of_lengths(lengths), {}, {}};
  batch.mask.see.clear();
  for (size_t b = 0; b < lengths.size(); ++b) {
    batch.mask.see.push_back(kinds[b % kinds.size()]);
    batch.mask.source.push_back(lengths[b] / 2);
    batch.examples.push_back(100 + b);
  }
  return batch;
}

inline AttentionContext context_of(const Batch& batch, bool training = false) {
  AttentionContext context{.query_layout = batch.layout,
                           .source_layout = batch.layout,
                           .mask = batch.mask,
                           .bias = nullptr,
                           .past = {},
                           .pass = {},
                           .row_keys_T = {}};
  context.pass = {.training = training, .key = 77, .example_keys = batch.examples};
  if (training) context.row_keys_T = row_keys(context.pass, batch.layout);
  return context;
}

inline std::shared_ptr<Attention> build(const AttentionKind& kind, const config::OptionSet& options,
                                        double dropout = 0.0, at::ScalarType dtype = at::kDouble) {
  const AttentionShape shape{.width = kWidth,
                             .heads = kHeads,
                             .head_size = kHeadSize,
                             .longest = kLongest,
                             .dropout = dropout,
                             .initializer_range = 0.5};
  return kind.make(shape, options, 5, torch::TensorOptions().dtype(dtype));
}

inline std::shared_ptr<Attention> build(const AttentionKind& kind, double dropout = 0.0,
                                        at::ScalarType dtype = at::kDouble) {
  return build(kind, *kind.options(), dropout, dtype);
}

inline Tensor run(const Attention& attention, const AttentionContext& context, const Tensor& x) {
  return attention.forward({.context = context, .query_TD = x, .source_SD = x, .carry = nullptr})
      .context_TD;
}

}  // namespace tenfold::nn::testing

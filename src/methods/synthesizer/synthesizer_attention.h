// The attention module of Synthesizer: the parameters its forms need and no others.
// Not here: the arithmetic of the forms (synthetic_scores.h) or of inference over places
// (exp_table.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "methods/synthesizer/exp_table.h"
#include "methods/synthesizer/kept.h"
#include "methods/synthesizer/synthesizer.h"
#include "methods/synthesizer/synthetic_scores.h"
#include "nn/attention.h"
#include "nn/linear.h"

namespace tenfold::synthesizer {

/// Parameters "value.*" and, by form:
/// - dense: "dense_hidden.*", "dense_scores.weight" [H, N, E], "dense_scores.bias" [H, N];
/// - random: "random" [H, N, N]; fixed_random: the buffer "fixed_random";
/// - factorized_dense: "factor_a.*" [H * A, D], "factor_b.*" [H * B, D];
/// - factorized_random: "random_left", "random_right" [H, N, k];
/// - dot_product: "query.*", "key.*";
/// - several under Mixture::softmax: "mixture.FORM" [H] or [1] each.
class SynthesizerAttention final : public nn::Attention {
 public:
  /// Error{config} where neither options nor shape say how long sequences may be, or scores of
  /// every place would be more than memory holds.
  SynthesizerAttention(const nn::AttentionShape& shape, const SynthesizerOptions& options,
                       uint64_t seed, torch::TensorOptions tensor_options);
  static nn::AttentionTraits traits_of(const SynthesizerOptions& options);
  static double flops_of(const nn::AttentionShape& shape, const SynthesizerOptions& options,
                         const nn::AttentionLoad& load);

  nn::AttentionTraits traits() const override;
  nn::AttentionOut forward(const nn::AttentionIn& in) const override;
  std::unique_ptr<nn::AttentionMemory> new_memory(int64_t count, int64_t capacity) const override;

  int64_t length() const { return length_; }  ///< N
  /// What each form counts for, [forms, H] or [forms, 1], adding up to 1 over the forms; undefined:
  /// all count as they are.
  Tensor form_weights() const;

 private:
  void make_forms(uint64_t seed, torch::TensorOptions tensor_options);
  void make_random_forms(uint64_t seed, torch::TensorOptions tensor_options);
  void make_mixture(torch::TensorOptions tensor_options);
  void check_lengths(const nn::SoftmaxPlan& plan) const;
  Tensor heads(const Tensor& x_TC) const;          ///< [T, H, C / H]
  Tensor no_numbers(const Tensor& x_TD) const;     ///< [T, H, 0]
  Tensor hidden_of(const Tensor& query_TD) const;  ///< relu(W1 x + b1) of the dense form
  /// Scores of a form, times its weight where forms are weighted.
  Tensor weighted(const Tensor& scores_HRM, const Tensor& weights_FH,
                  const std::string& form) const;
  /// The same for rows of heads [T, H, E].
  Tensor by_head(const Tensor& x_THE, const Tensor& weights_FH, const std::string& form) const;
  /// Of `count` places from `first` on.
  Tensor place_scores(const Tensor& weights_FH, int64_t first, int64_t count, int64_t keys,
                      at::ScalarType type) const;
  /// b2 times the dense form's weight, [H, 1, N].
  Tensor dense_bias(const Tensor& weights_FH, at::ScalarType type) const;
  Tensor query_scores(const Tensor& weights_FH, const Tensor& query_TD, int64_t keys) const;
  /// Queries of dot products, times that form's weight.
  Tensor dot_queries(const Tensor& weights_FH, const Tensor& query_TD) const;
  /// The weights behind scores that depend on places alone.
  std::vector<Tensor> place_sources() const;
  /// What is added to the products of the one form that has products, [H, N, N] or [H, 1, N].
  Tensor scores_beside_products(at::ScalarType type) const;
  /// Contexts of a pass that needs no gradient, without a score of every query and key in memory;
  /// nothing where its forms, mask or extras want them.
  std::optional<Tensor> without_scores(const nn::AttentionIn& in, const nn::AskedKeys& asked) const;
  nn::SoftmaxOut by_scores(const Tensor& query_TD, const nn::AskedKeys& asked,
                           const Tensor& carry) const;
  /// Contexts alone, some queries at a time.
  Tensor by_scores_in_pieces(const Tensor& query_TD, const nn::AskedKeys& asked) const;

  nn::AttentionShape shape_;
  SynthesizerOptions options_;
  int64_t length_;
  std::shared_ptr<nn::Linear> value_, query_, key_, dense_hidden_, factor_a_, factor_b_;
  Tensor dense_weight_HNE_, dense_bias_HN_, random_HNN_, fixed_HNN_, left_HNk_, right_HNk_;
  std::vector<Tensor> mixture_;  ///< [H] or [1] a form, before the softmax over forms
  Kept<ExpTable> table_;
  Kept<Tensor> beside_products_;
};

}  // namespace tenfold::synthesizer

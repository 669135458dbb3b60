// The forms of Synthesizer's scores as functions of tensors: dense, random and their factorised
// kin, their mixture, and how they meet keys and values (arXiv 2005.00743, sections 3.1 and 3.2).
// Not here: parameters (synthesizer_attention.h) or the softmax itself (nn/softmax_attention.h).
//
// T query rows, D width, H heads, E head size, N longest sequence, M keys asked, k rank,
// A and B the two factors' sizes.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/synthesizer/synthesizer.h"
#include "nn/softmax_attention.h"
#include "tensor/torch.h"

namespace tenfold::synthesizer {

/// Dense: score of key j from the query's token alone, w2_j . hidden + b2_j for j < M.
/// hidden = relu(W1 x + b1). Result [H, T, M].
Tensor dense_scores(const Tensor& hidden_THE, const Tensor& weight_HNE, const Tensor& bias_HN,
                    int64_t keys);

/// Factorised dense: alpha[index_a(j)] * beta[index_b(j)] for j < M. Result [H, T, M].
Tensor factorized_dense_scores(const Tensor& alpha_THA, const Tensor& beta_THB, IndexMap map,
                               int64_t keys);

/// Factorised random: left right^T at the first `queries` and `keys` places. Result
/// [H, queries, keys].
Tensor factorized_random_scores(const Tensor& left_HNk, const Tensor& right_HNk, int64_t queries,
                                int64_t keys);

/// sum + more, either of which may be undefined.
Tensor sum_of(const Tensor& sum, const Tensor& more);

/// What the rows of a score tensor [H, rows, M] stand for.
enum class Rows : uint8_t {
  places,   ///< place of a query in its sequence: the same scores for every sequence
  queries,  ///< query rows of the batch
};

/// The scores of every sequence's queries at its keys, one sequence after another as the kernels
/// take them (SoftmaxOut::flat_scores). Rows of places begin with first_place. Differentiable; on
/// any device.
Tensor flat_scores(const Tensor& scores_HRM, Rows rows,
                   const std::vector<nn::AttentionSequence>& sequences, int64_t first_place = 0);

/// Scores of one pass by form, before mask and mixture; undefined: no such form.
struct SyntheticScores {
  Tensor place_HRM;  ///< rows are places
  Tensor query_HTM;  ///< rows are queries of the batch
  int64_t first_place = 0;
};

/// What queries are multiplied with: the rows of a source, or the same numbers for every text.
struct BlockKeys {
  Tensor of_rows_SHE, of_places_HNE;  ///< one of them is undefined
};

/// Whether mix_by_blocks can do what all masks of a plan ask.
bool blocks_serve(const nn::SoftmaxPlan& plan);

/// softmax(scale * query key + place scores) values by libtorch's blocked kernel, without gradient
/// on the CPU: no score of a query and a key stands in memory. place_HRM: undefined, or one row for
/// all queries, or one a place. Result [T, H, E] in the number format of the queries, which that of
/// keys and place scores must be.
Tensor mix_by_blocks(const Tensor& query_THE, const BlockKeys& keys, const nn::AskedKeys& asked,
                     const Tensor& place_HRM);

/// Softmax over synthetic scores, those carried in and scaled dot products (query and key may have
/// no numbers: none), times values. Hands on what plan.hand_on_scores asks for.
nn::SoftmaxOut mix_by_scores(const Tensor& query_THE, const nn::AskedKeys& asked,
                             const SyntheticScores& scores, const Tensor& carry);

}  // namespace tenfold::synthesizer

// Softmax attention written as its definition: the twin every fast path is held against.
// Not here: speed.
#include "nn/attention_observer.h"
#include "nn/softmax_attention.h"
#include "support/rng.h"

namespace tenfold::nn {
namespace {

Tensor dense_mask(const AttentionSequence& s) {
  const MaskSpec mask{.see = {s.kind}, .source = {s.source}, .keep_S = {}};
  return mask.visible(0, s.past, s.queries, s.keys, 0);
}

/// Weights after dropout; the key of row (query t, head h) comes from the query's own.
Tensor drop_weights(const Tensor& weight_HNM, const AttentionSequence& s, const SoftmaxPlan& plan) {
  if (plan.dropout == 0.0 || weight_HNM.numel() == 0) return weight_HNM;
  const int64_t heads = weight_HNM.size(0);
  Tensor keys_HN = torch::empty({heads, s.queries}, torch::kInt64);
  const Tensor row_keys_T = plan.row_keys_T.cpu();
  const auto* rows = row_keys_T.const_data_ptr<int64_t>() + s.query_begin;
  auto* out = keys_HN.mutable_data_ptr<int64_t>();
  for (int64_t h = 0; h < heads; ++h) {
    for (int64_t i = 0; i < s.queries; ++i) {
      *out++ = static_cast<int64_t>(
          combine_keys(static_cast<uint64_t>(rows[i]), static_cast<uint64_t>(h)));
    }
  }
  return dropout_rows(weight_HNM.reshape({heads * s.queries, s.keys}),
                      keys_HN.flatten().to(weight_HNM.device()), plan.site, plan.dropout)
      .view(weight_HNM.sizes());
}

}  // namespace

SoftmaxOut softmax_reference(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const Tensor& carry,
                             const SoftmaxPlan& plan) {
  const int64_t heads = query_THE.size(1);
  std::vector<Tensor> contexts, scores;
  int64_t carried = 0, sequence = 0;
  for (const AttentionSequence& s : plan.sequences) {
    const Tensor query_HNE = query_THE.narrow(0, s.query_begin, s.queries).transpose(0, 1);
    Tensor key_HME = key_SHE.narrow(0, s.key_begin, s.keys).transpose(0, 1);
    Tensor value_HME = value_SHE.narrow(0, s.key_begin, s.keys).transpose(0, 1);
    Tensor seen_NM = dense_mask(s).to(query_THE.device());
    const Tensor kept = torch::tensor(s.kept, torch::kInt64).to(query_THE.device());
    if (s.has_holes) {
      const Tensor keep_M = torch::zeros({s.keys}, seen_NM.options()).index_fill(0, kept, true);
      seen_NM = seen_NM.logical_and(keep_M);
      key_HME = key_HME.masked_fill(keep_M.logical_not().unsqueeze(1), 0);
      value_HME = value_HME.masked_fill(keep_M.logical_not().unsqueeze(1), 0);
    }
    Tensor score_HNM = at::matmul(query_HNE, key_HME.transpose(1, 2)) * plan.scale;
    if (carry.defined()) {
      const int64_t m = s.seen_keys(), size = heads * s.queries * m;
      const Tensor below = carry.narrow(0, carried, size).view({heads, s.queries, m});
      carried += size;
      score_HNM = score_HNM +
                  (s.has_holes ? torch::zeros_like(score_HNM).index_copy(2, kept, below) : below);
    }
    if (plan.hand_on_scores)
      scores.push_back((s.has_holes ? score_HNM.index_select(2, kept) : score_HNM).flatten());
    Tensor logit_HNM = plan.factor == 1.0 ? score_HNM : score_HNM * plan.factor;
    if (plan.bias) logit_HNM = logit_HNM + plan.bias->dense(s.past, s.queries, s.keys);
    const Tensor weight_HNM = at::_safe_softmax(
        logit_HNM.masked_fill(seen_NM.logical_not(), -std::numeric_limits<double>::infinity()), -1);
    if (plan.observer != nullptr) {
      plan.observer->see({.layer = plan.layer,
                          .sequence = sequence,
                          .side = plan.side,
                          .score_HNM = score_HNM,
                          .weight_HNM = weight_HNM,
                          .seen_NM = seen_NM});
    }
    ++sequence;
    contexts.push_back(at::matmul(drop_weights(weight_HNM, s, plan), value_HME).transpose(0, 1));
  }
  SoftmaxOut out{contexts.empty() ? torch::zeros({0, heads, value_SHE.size(2)}, query_THE.options())
                                  : at::cat(contexts),
                 {}};
  if (plan.hand_on_scores)
    out.flat_scores = scores.empty() ? torch::zeros({0}, query_THE.options()) : at::cat(scores);
  return out;
}

}  // namespace tenfold::nn

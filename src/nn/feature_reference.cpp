// Attention by products of features written as its definition: the twin every linear-time path is
// held against. Not here: speed.
#include <limits>

#include "nn/feature_attention.h"

namespace tenfold::nn {
namespace {

Tensor seen_pairs(const AttentionSequence& s) {
  const MaskSpec mask{.see = {s.kind}, .source = {s.source}, .keep_S = {}};
  Tensor seen_NM = mask.visible(0, s.past, s.queries, s.keys, 0);
  return s.has_holes ? seen_NM.index_select(1, torch::tensor(s.kept, torch::kInt64)) : seen_NM;
}

Tensor seen_rows(const Tensor& x_SHE, const AttentionSequence& s) {
  const Tensor rows = x_SHE.narrow(0, s.key_begin, s.keys);
  return s.has_holes ? rows.index_select(0, torch::tensor(s.kept, torch::kInt64).to(x_SHE.device()))
                     : rows;
}

/// Denominator::feature as its definition: a softmax over visible keys for each number of the keys.
Tensor reference_by_feature(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                            const FeaturePlan& plan) {
  std::vector<Tensor> contexts{
      torch::zeros({0, query_THE.size(1), value_SHE.size(2)}, query_THE.options())};
  for (const AttentionSequence& s : plan.sequences) {
    const Tensor query_HNR =
        plan.map->queries(query_THE.narrow(0, s.query_begin, s.queries)).transpose(0, 1);
    const KeyFeatures keys = plan.map->keys(seen_rows(key_SHE, s));
    Tensor log_HMR = keys.feature_SHR.log();
    if (keys.offset_SH.defined()) log_HMR = log_HMR + keys.offset_SH.unsqueeze(-1);
    const Tensor score_HNMR =
        log_HMR.transpose(0, 1)
            .unsqueeze(1)
            .expand({query_THE.size(1), s.queries, s.seen_keys(), log_HMR.size(2)})
            .masked_fill(seen_pairs(s).to(query_THE.device()).logical_not().unsqueeze(-1),
                         -std::numeric_limits<double>::infinity());
    const Tensor weight_HNM = (at::_safe_softmax(score_HNMR, 2) * query_HNR.unsqueeze(2)).sum(-1);
    contexts.push_back(
        at::matmul(weight_HNM, seen_rows(value_SHE, s).transpose(0, 1)).transpose(0, 1));
  }
  return at::cat(contexts);
}

}  // namespace

Tensor feature_reference(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const FeaturePlan& plan) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  if (plan.denominator == Denominator::feature)
    return reference_by_feature(query_THE, key_SHE, value_SHE, plan);
  std::vector<Tensor> contexts;
  for (const AttentionSequence& s : plan.sequences) {
    const Tensor query_HNR =
        plan.map->queries(query_THE.narrow(0, s.query_begin, s.queries)).transpose(0, 1);
    const KeyFeatures keys = plan.map->keys(seen_rows(key_SHE, s));
    const Tensor hidden_NM = seen_pairs(s).to(query_THE.device()).logical_not();
    Tensor weight_HNM =
        at::matmul(query_HNR, keys.feature_SHR.permute({1, 2, 0})).masked_fill(hidden_NM, 0);
    if (keys.offset_SH.defined() && s.seen_keys() > 0) {
      const Tensor offset_HNM = keys.offset_SH.detach()
                                    .transpose(0, 1)
                                    .unsqueeze(1)
                                    .expand_as(weight_HNM)
                                    .masked_fill(hidden_NM, kNone);
      const Tensor top_HN1 = offset_HNM.amax(2, true).clamp_min(-1e300);
      weight_HNM = weight_HNM * (offset_HNM - top_HN1).exp();
    }
    Tensor context_HNE = at::matmul(weight_HNM, seen_rows(value_SHE, s).transpose(0, 1));
    if (plan.denominator == Denominator::query) {
      const Tensor sum_HN1 = weight_HNM.sum(2, true) + plan.key_sum_offset * query_HNR.sum(2, true);
      const Tensor seen = sum_HN1 > 0;
      context_HNE = at::where(
          seen, context_HNE / at::where(seen, sum_HN1.clamp_min(1e-20) + plan.epsilon, 1.0), 0.0);
    }
    contexts.push_back(context_HNE.transpose(0, 1));
  }
  return contexts.empty()
             ? torch::zeros({0, query_THE.size(1), value_SHE.size(2)}, query_THE.options())
             : at::cat(contexts);
}

}  // namespace tenfold::nn

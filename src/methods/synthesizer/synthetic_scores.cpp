// The forms, and one autograd node that lays scores out for the softmax kernels.
// Not here: the kernels.
#include "methods/synthesizer/synthetic_scores.h"

#include <algorithm>

namespace tenfold::synthesizer {
namespace {

using nn::AttentionSequence;

struct ScorePlan : torch::CustomClassHolder {
  Rows rows = Rows::places;
  std::vector<AttentionSequence> sequences;
  int64_t first_place = 0;

  int64_t row_of(const AttentionSequence& s) const {
    return rows == Rows::places ? s.past - first_place : s.query_begin;
  }

  /// Whether every score of [H, score_rows, keys] is that of one query and key.
  bool fills_once(int64_t score_rows, int64_t keys) const {
    int64_t queries = 0;
    for (const AttentionSequence& s : sequences) {
      if (s.has_holes || s.keys != keys) return false;
      queries += s.queries;
    }
    return rows == Rows::queries ? queries == score_rows
                                 : sequences.size() == 1 && queries == score_rows;
  }
};

Tensor kept_places(const AttentionSequence& s, torch::Device device) {
  return torch::tensor(s.kept, torch::kInt64).to(device);
}

struct FlatScores : torch::autograd::Function<FlatScores> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& scores_HRM,
                        const c10::intrusive_ptr<ScorePlan>& plan) {
    ctx->saved_data["plan"] = c10::IValue::make_capsule(plan);
    ctx->saved_data["shape"] = scores_HRM.sizes().vec();
    const int64_t heads = scores_HRM.size(0);
    int64_t total = 0;
    for (const AttentionSequence& s : plan->sequences) total += heads * s.queries * s.seen_keys();
    Tensor flat = torch::empty({total}, scores_HRM.options());
    int64_t at = 0;
    for (const AttentionSequence& s : plan->sequences) {
      const int64_t m = s.seen_keys(), size = heads * s.queries * m;
      if (size == 0) continue;
      const Tensor rows_HNM = scores_HRM.narrow(1, plan->row_of(s), s.queries);
      flat.narrow(0, at, size)
          .view({heads, s.queries, m})
          .copy_(s.has_holes ? rows_HNM.index_select(2, kept_places(s, flat.device()))
                             : rows_HNM.narrow(2, 0, m));
      at += size;
    }
    return flat;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx,
                                                 torch::autograd::variable_list gradients) {
    const auto capsule = ctx->saved_data["plan"].toCapsule();
    const auto& plan = static_cast<const ScorePlan&>(*capsule);
    const Tensor& flat = gradients[0];
    const std::vector<int64_t> shape = ctx->saved_data["shape"].toIntVector();
    const bool once = plan.fills_once(shape[1], shape[2]);
    Tensor result_HRM =
        once ? torch::empty(shape, flat.options()) : torch::zeros(shape, flat.options());
    const int64_t heads = result_HRM.size(0);
    int64_t at = 0;
    for (const AttentionSequence& s : plan.sequences) {
      const int64_t m = s.seen_keys(), size = heads * s.queries * m;
      if (size == 0) continue;
      const Tensor slope_HNM = flat.narrow(0, at, size).view({heads, s.queries, m});
      at += size;
      Tensor rows_HNM = result_HRM.narrow(1, plan.row_of(s), s.queries);
      if (once) {
        rows_HNM.copy_(slope_HNM);
      } else if (s.has_holes) {
        rows_HNM.index_add_(2, kept_places(s, flat.device()), slope_HNM);
      } else {
        rows_HNM.narrow(2, 0, m).add_(slope_HNM);
      }
    }
    return {result_HRM, {}};
  }
};

}  // namespace

Tensor dense_scores(const Tensor& hidden_THE, const Tensor& weight_HNE, const Tensor& bias_HN,
                    int64_t keys) {
  return at::baddbmm(bias_HN.narrow(1, 0, keys).unsqueeze(1), hidden_THE.transpose(0, 1),
                     weight_HNE.narrow(1, 0, keys).transpose(1, 2));
}

Tensor factorized_dense_scores(const Tensor& alpha_THA, const Tensor& beta_THB, IndexMap map,
                               int64_t keys) {
  const auto heads_first = [](const Tensor& x_THC) { return x_THC.transpose(0, 1).contiguous(); };
  const auto tiles_of = [&](int64_t size) { return (keys + size - 1) / size; };
  const int64_t a = alpha_THA.size(2), b = beta_THB.size(2);
  if (map == IndexMap::tile_tile) {
    const auto tiled = [&](const Tensor& x_THC, int64_t size) {
      return heads_first(x_THC).repeat({1, 1, tiles_of(size)}).narrow(2, 0, keys);
    };
    return tiled(alpha_THA, a) * tiled(beta_THB, b);
  }
  // Row by row the outer product of beta and alpha, written one row of it after another.
  const Tensor beta_HTB = heads_first(beta_THB.narrow(2, 0, tiles_of(a)));
  return (heads_first(alpha_THA).unsqueeze(2) * beta_HTB.unsqueeze(3))
      .flatten(2)
      .narrow(2, 0, keys);
}

Tensor factorized_random_scores(const Tensor& left_HNk, const Tensor& right_HNk, int64_t queries,
                                int64_t keys) {
  return at::bmm(left_HNk.narrow(1, 0, queries), right_HNk.narrow(1, 0, keys).transpose(1, 2));
}

Tensor sum_of(const Tensor& sum, const Tensor& more) {
  if (!sum.defined()) return more;
  return more.defined() ? sum + more : sum;
}

Tensor flat_scores(const Tensor& scores_HRM, Rows rows,
                   const std::vector<AttentionSequence>& sequences, int64_t first_place) {
  auto plan = c10::make_intrusive<ScorePlan>();
  plan->rows = rows;
  plan->sequences = sequences;
  plan->first_place = first_place;
  return FlatScores::apply(scores_HRM, plan);
}

bool blocks_serve(const nn::SoftmaxPlan& plan) {
  return std::all_of(plan.sequences.begin(), plan.sequences.end(), nn::flash_honours);
}

Tensor mix_by_blocks(const Tensor& query_THE, const BlockKeys& keys, const nn::AskedKeys& asked,
                     const Tensor& place_HRM) {
  const at::ScalarType type = query_THE.scalar_type();
  const Tensor value_SHE = asked.value_SHE.to(type);
  const auto heads_of = [](const Tensor& x_RHE, int64_t begin, int64_t rows) {
    return x_RHE.narrow(0, begin, rows).transpose(0, 1).unsqueeze(0);
  };
  Tensor context_THE = torch::empty(query_THE.sizes(), query_THE.options());
  for (const AttentionSequence& s : asked.plan.sequences) {
    if (s.queries == 0) continue;
    const Tensor key_1HME = keys.of_places_HNE.defined()
                                ? keys.of_places_HNE.narrow(1, 0, s.keys).unsqueeze(0)
                                : heads_of(keys.of_rows_SHE, s.key_begin, s.keys);
    std::optional<Tensor> added_1HNM;
    if (place_HRM.defined()) {
      const bool one_row = place_HRM.size(1) == 1;
      added_1HNM = place_HRM.narrow(1, one_row ? 0 : s.past, one_row ? 1 : s.queries)
                       .narrow(2, 0, s.keys)
                       .unsqueeze(0);
    }
    const auto result = at::_scaled_dot_product_flash_attention_for_cpu(
        heads_of(query_THE, s.query_begin, s.queries), key_1HME,
        heads_of(value_SHE, s.key_begin, s.keys), 0.0, s.kind == See::past && s.queries > 1,
        added_1HNM, asked.plan.scale);
    context_THE.narrow(0, s.query_begin, s.queries).transpose(0, 1).copy_(std::get<0>(result)[0]);
  }
  return context_THE;
}

nn::SoftmaxOut mix_by_scores(const Tensor& query_THE, const nn::AskedKeys& asked,
                             const SyntheticScores& scores, const Tensor& carry) {
  Tensor sum = carry;
  if (scores.place_HRM.defined())
    sum = sum_of(
        flat_scores(scores.place_HRM, Rows::places, asked.plan.sequences, scores.first_place), sum);
  if (scores.query_HTM.defined())
    sum = sum_of(flat_scores(scores.query_HTM, Rows::queries, asked.plan.sequences), sum);
  return nn::softmax_attention(query_THE, asked.key_SHE, asked.value_SHE, sum, asked.plan);
}

}  // namespace tenfold::synthesizer

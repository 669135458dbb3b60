// Softmax attention by libtorch's operators over padded groups of sequences: the path of devices
// without a kernel of their own. Not here: the CPU's kernels (softmax_fast.cpp).
//
// G sequences of a group, N most queries of one, M most seen keys of one.
#include <algorithm>

#include "nn/softmax_attention.h"
#include "nn/visible_range.h"

namespace tenfold::nn {
namespace {

/// Scores computed at a time: 256 MiB of fp32.
constexpr int64_t kGroupScores = 1 << 26;

/// Consecutive sequences with a query and a key, and where each padded place finds its row. The
/// tensors are on the queries' device.
struct Group {
  std::vector<const AttentionSequence*> sequences;
  int64_t queries = 0, keys = 0;  ///< N, M
  int64_t rows = 0, scores = 0;   ///< real query rows; real pairs of query and key, of one head
  bool all_seen = true;           ///< every key is seen by every query and none is padding

  Tensor query_row_GN, key_row_GM, key_place_GM, query_place_GN;
  Tensor first_GN, last_GN, skipped_GN;  ///< keys first <= j < last but not `skipped` are seen
  Tensor real_row;                       ///< places of [G, N] that are no padding
  bool every_query_sees = true, padded = false, skips = false;

  int64_t count() const { return static_cast<int64_t>(sequences.size()); }
  void fill(torch::Device device);
};

void Group::fill(torch::Device device) {
  const auto pairs = static_cast<size_t>(count() * queries),
             places = static_cast<size_t>(count() * keys);
  std::vector<int64_t> query_row(pairs), query_place(pairs), first(pairs), last(pairs),
      skipped(pairs), key_row(places), key_place(places), real;
  for (int64_t g = 0; g < count(); ++g) {
    const AttentionSequence& s = *sequences[static_cast<size_t>(g)];
    for (int64_t n = 0; n < queries; ++n) {
      // Padding asks again what the first query asks, so that every number of the group is an
      // honest one.
      const int64_t query = n < s.queries ? n : 0;
      const auto at = static_cast<size_t>(g * queries + n);
      const VisibleRange seen = visible_range(s, query);
      query_row[at] = s.query_begin + query;
      query_place[at] = s.past + query;
      first[at] = seen.lo;
      last[at] = seen.hi;
      skipped[at] = seen.skip;
      skips = skips || seen.skip >= 0;
      every_query_sees = every_query_sees && seen.hi - seen.lo > (seen.skip >= 0 ? 1 : 0);
      all_seen = all_seen && seen.lo == 0 && seen.hi == keys && seen.skip < 0;
      if (n < s.queries) real.push_back(g * queries + n);
    }
    for (int64_t m = 0; m < keys; ++m) {
      const int64_t index = m < s.seen_keys() ? m : 0;
      const int64_t place = s.has_holes ? s.kept[static_cast<size_t>(index)] : index;
      const auto at = static_cast<size_t>(g * keys + m);
      key_row[at] = s.key_begin + place;
      key_place[at] = place;
    }
  }
  padded = static_cast<int64_t>(real.size()) < count() * queries;
  // One transfer for all.
  std::vector<int64_t> all;
  for (const auto* part :
       {&query_row, &query_place, &first, &last, &skipped, &key_row, &key_place, &real})
    all.insert(all.end(), part->begin(), part->end());
  const Tensor moved = torch::tensor(all, torch::kInt64).to(device);
  int64_t at = 0;
  const auto next = [&](int64_t rows_of, int64_t width) {
    const Tensor part = moved.narrow(0, at, rows_of * width).view({rows_of, width});
    at += rows_of * width;
    return part;
  };
  query_row_GN = next(count(), queries);
  query_place_GN = next(count(), queries);
  first_GN = next(count(), queries);
  last_GN = next(count(), queries);
  skipped_GN = next(count(), queries);
  key_row_GM = next(count(), keys);
  key_place_GM = next(count(), keys);
  real_row = next(1, static_cast<int64_t>(real.size())).flatten();
}

std::vector<Group> groups_of(const std::vector<AttentionSequence>& sequences, int64_t heads) {
  std::vector<Group> groups;
  for (const AttentionSequence& s : sequences) {
    if (s.queries == 0 || s.seen_keys() == 0) continue;
    if (!groups.empty()) {
      const Group& last = groups.back();
      const int64_t n = std::max(last.queries, s.queries), m = std::max(last.keys, s.seen_keys());
      if ((last.count() + 1) * heads * n * m > kGroupScores) groups.emplace_back();
    } else {
      groups.emplace_back();
    }
    Group& group = groups.back();
    group.sequences.push_back(&s);
    group.queries = std::max(group.queries, s.queries);
    group.keys = std::max(group.keys, s.seen_keys());
    group.rows += s.queries;
    group.scores += s.queries * s.seen_keys();
  }
  return groups;
}

/// bool [G, 1, N, M].
Tensor visible_pairs(const Group& group) {
  const Tensor key_M = torch::arange(group.keys, group.first_GN.options());
  Tensor seen_GNM =
      key_M.ge(group.first_GN.unsqueeze(2)).logical_and(key_M.lt(group.last_GN.unsqueeze(2)));
  if (group.skips) seen_GNM = seen_GNM.logical_and(key_M.ne(group.skipped_GN.unsqueeze(2)));
  return seen_GNM.unsqueeze(1);
}

/// bool [G, H, N, M]: pairs that are no padding, in the order of the carry.
Tensor real_pairs(const Group& group, int64_t heads, torch::Device device) {
  std::vector<int64_t> queries, keys;
  for (const AttentionSequence* s : group.sequences) {
    queries.push_back(s->queries);
    keys.push_back(s->seen_keys());
  }
  const auto below = [&](const std::vector<int64_t>& counts, int64_t most) {
    const Tensor count_G1 = torch::tensor(counts, torch::kInt64).to(device).unsqueeze(1);
    return torch::arange(most, count_G1.options()).lt(count_G1);
  };
  return below(queries, group.queries)
      .view({-1, 1, group.queries, 1})
      .logical_and(below(keys, group.keys).view({-1, 1, 1, group.keys}))
      .expand({-1, heads, -1, -1});
}

/// [H, G, N, M] by offset, as [G, H, N, M].
Tensor bias_of(const Group& group, const PositionBias& bias) {
  const Tensor offset_GNM = group.key_place_GM.unsqueeze(1) - group.query_place_GN.unsqueeze(2);
  const Tensor column = offset_GNM.clamp(-bias.reach, bias.reach).add(bias.reach).flatten();
  const Tensor& table_HR = bias.by_offset_HR;
  return table_HR.index_select(1, column)
      .view({table_HR.size(0), group.count(), group.queries, group.keys})
      .transpose(0, 1);
}

/// Rows of x_RHE as [G, H, rows, E].
Tensor gathered(const Tensor& x_RHE, const Tensor& row_GR) {
  return x_RHE.index_select(0, row_GR.flatten())
      .view({row_GR.size(0), row_GR.size(1), x_RHE.size(1), x_RHE.size(2)})
      .transpose(1, 2);
}

struct GroupInputs {
  Tensor query_GHNE, key_GHME, value_GHME;
  Tensor carry;  ///< flat scores of the group's sequences; undefined: none
};

/// Contexts [G, H, N, E] with every extra: scores in fp32 or wider throughout.
Tensor contexts_with_scores(const Group& group, const GroupInputs& in, const SoftmaxPlan& plan,
                            std::vector<Tensor>& handed_on) {
  const at::ScalarType given = in.query_GHNE.scalar_type();
  const int64_t heads = in.query_GHNE.size(1);
  Tensor score_GHNM = at::matmul(in.query_GHNE, in.key_GHME.transpose(2, 3))
                          .to(given == at::kDouble ? at::kDouble : at::kFloat) *
                      plan.scale;
  if (in.carry.defined() || plan.hand_on_scores) {
    const Tensor real_GHNM = real_pairs(group, heads, score_GHNM.device());
    if (in.carry.defined()) {
      score_GHNM =
          score_GHNM + torch::zeros_like(score_GHNM)
                           .masked_scatter(real_GHNM, in.carry.to(score_GHNM.scalar_type()));
    }
    if (plan.hand_on_scores) handed_on.push_back(score_GHNM.masked_select(real_GHNM));
  }
  if (plan.factor != 1.0) score_GHNM = score_GHNM * plan.factor;
  if (plan.bias) score_GHNM = score_GHNM + bias_of(group, *plan.bias);
  if (!group.all_seen) {
    score_GHNM = score_GHNM.masked_fill(visible_pairs(group).logical_not(),
                                        -std::numeric_limits<double>::infinity());
  }
  Tensor weight_GHNM = at::_safe_softmax(score_GHNM, -1).to(given);
  if (plan.dropout > 0) {
    const Tensor row_key_GN = plan.row_keys_T.to(group.query_row_GN.device())
                                  .index_select(0, group.query_row_GN.flatten())
                                  .view(group.query_row_GN.sizes());
    const Tensor key_GHN1 =
        combined_keys(row_key_GN.unsqueeze(1),
                      torch::arange(heads, row_key_GN.options()).view({1, heads, 1}))
            .unsqueeze(3);
    const Tensor place_G11M = group.key_place_GM.view({group.count(), 1, 1, group.keys});
    weight_GHNM = drop_elements(weight_GHNM, key_GHN1, place_G11M, plan.site, plan.dropout);
  }
  return at::matmul(weight_GHNM, in.value_GHME);
}

Tensor contexts(const Group& group, const GroupInputs& in, const SoftmaxPlan& plan,
                std::vector<Tensor>& handed_on) {
  const bool plain = plan.dropout == 0 && plan.factor == 1.0 && !plan.bias &&
                     !plan.hand_on_scores && !in.carry.defined();
  if (!plain || !group.every_query_sees) return contexts_with_scores(group, in, plan, handed_on);
  std::optional<Tensor> mask;
  if (!group.all_seen) {
    mask = visible_pairs(group).expand({-1, in.query_GHNE.size(1), -1, -1});
  }
  return at::scaled_dot_product_attention(in.query_GHNE, in.key_GHME, in.value_GHME, mask,
                                          /*dropout_p=*/0.0, /*is_causal=*/false, plan.scale);
}

}  // namespace

SoftmaxOut softmax_batched(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                           const Tensor& carry, const SoftmaxPlan& plan) {
  const int64_t heads = query_THE.size(1), size = value_SHE.size(2);
  std::vector<Tensor> parts, handed_on, rows;
  int64_t carried = 0, live = 0;
  for (Group& group : groups_of(plan.sequences, heads)) {
    group.fill(query_THE.device());
    GroupInputs in{.query_GHNE = gathered(query_THE, group.query_row_GN),
                   .key_GHME = gathered(key_SHE, group.key_row_GM),
                   .value_GHME = gathered(value_SHE, group.key_row_GM),
                   .carry = {}};
    if (carry.defined()) in.carry = carry.narrow(0, carried, heads * group.scores);
    carried += heads * group.scores;
    const Tensor context = contexts(group, in, plan, handed_on)
                               .transpose(1, 2)
                               .reshape({group.count() * group.queries, heads, size});
    parts.push_back(group.padded ? context.index_select(0, group.real_row) : context);
    rows.push_back(group.padded ? group.query_row_GN.flatten().index_select(0, group.real_row)
                                : group.query_row_GN.flatten());
    live += group.rows;
  }
  SoftmaxOut out;
  if (live == query_THE.size(0) && !parts.empty()) {
    out.context_THE = parts.size() == 1 ? parts[0] : at::cat(parts);
  } else {
    // A query without any key has a context of zeros.
    out.context_THE = torch::zeros({query_THE.size(0), heads, size}, query_THE.options());
    if (!parts.empty())
      out.context_THE = out.context_THE.index_copy(0, at::cat(rows), at::cat(parts));
  }
  if (plan.hand_on_scores) {
    out.flat_scores =
        handed_on.empty() ? torch::zeros({0}, query_THE.options()) : at::cat(handed_on);
  }
  return out;
}

}  // namespace tenfold::nn

// Attention by sums over keys with libtorch's operators, over padded chunks of groups of sequences:
// the path of devices without a kernel of their own, linear in the length too.
// Not here: the CPU's kernel (feature_scan.cpp).
//
// G sequences of a group, C chunks of one, N = M = 64 queries and keys of a chunk, B keys that
// every query of a sequence sees.
#include <algorithm>
#include <limits>

#include "nn/feature_attention.h"
#include "nn/scan_plan.h"
#include "nn/visible_range.h"

namespace tenfold::nn {
namespace {

constexpr int64_t kWide = 64;                     ///< rows of a chunk
constexpr int64_t kGroupRows = int64_t{1} << 20;  ///< padded rows worked on at a time

/// Rows of the batch by place, padding marked by -1, and which of its own keys a query sees.
struct ChunkGroup {
  std::vector<const AttentionSequence*> sequences;
  std::vector<ScanPlan> plans;
  int64_t chunks = 0, shared = 0;  ///< C, B: the most of any sequence

  int64_t count() const { return static_cast<int64_t>(sequences.size()); }
  bool partial() const {
    return std::any_of(plans.begin(), plans.end(), [](const ScanPlan& p) { return p.partial(); });
  }
};

std::vector<ChunkGroup> chunk_groups(const std::vector<AttentionSequence>& sequences) {
  std::vector<ChunkGroup> groups(1);
  for (const AttentionSequence& s : sequences) {
    if (s.queries == 0) continue;
    ScanPlan plan = scan_plan(s, kWide);
    const auto chunks = static_cast<int64_t>(plan.chunks.size());
    const int64_t shared = plan.base + plan.keys - plan.tail;
    const auto rows = [&](const ChunkGroup& g) {
      return (g.count() + 1) *
             std::max(std::max(g.chunks, chunks) * kWide, std::max(g.shared, shared));
    };
    if (groups.back().count() > 0 && rows(groups.back()) > kGroupRows) groups.emplace_back();
    ChunkGroup& group = groups.back();
    group.sequences.push_back(&s);
    group.plans.push_back(std::move(plan));
    group.chunks = std::max(group.chunks, chunks);
    group.shared = std::max(group.shared, shared);
  }
  return groups;
}

struct GroupIndex {
  Tensor query_GCN, key_GCM, shared_GB;  ///< rows, -1: padding
  Tensor lo_GCN, hi_GCN, skip_GCN;       ///< keys of the chunk that a query sees
  Tensor before_G, after_G;              ///< bool
};

int64_t row_of_key(const AttentionSequence& s, int64_t index) {
  return s.key_begin + (s.has_holes ? s.kept[static_cast<size_t>(index)] : index);
}

GroupIndex index_of(const ChunkGroup& group, torch::Device device) {
  const int64_t count = group.count(), wide = count * group.chunks * kWide;
  const auto blank = [](int64_t n, int64_t value) {
    return std::vector<int64_t>(static_cast<size_t>(n), value);
  };
  std::vector<int64_t> query = blank(wide, -1), key = blank(wide, -1), lo = blank(wide, 0),
                       hi = blank(wide, 0), skip = blank(wide, -1),
                       shared = blank(count * group.shared, -1), sides = blank(2 * count, 0);
  for (int64_t g = 0; g < count; ++g) {
    const AttentionSequence& s = *group.sequences[static_cast<size_t>(g)];
    const ScanPlan& plan = group.plans[static_cast<size_t>(g)];
    sides[static_cast<size_t>(g)] = plan.before;
    sides[static_cast<size_t>(count + g)] = plan.after;
    auto at = static_cast<size_t>(g * group.shared);
    for (int64_t j = 0; j < plan.keys; ++j) {
      if (j < plan.base || j >= plan.tail) shared[at++] = row_of_key(s, j);
    }
    for (size_t c = 0; c < plan.chunks.size(); ++c) {
      const ScanChunk& chunk = plan.chunks[c];
      const size_t first =
          static_cast<size_t>((g * group.chunks + static_cast<int64_t>(c)) * kWide);
      for (int64_t i = 0; i < chunk.queries(); ++i) {
        const size_t place = first + static_cast<size_t>(i);
        query[place] = s.query_begin + chunk.query_begin + i;
        if (chunk.keys() == 0) continue;
        const VisibleRange range = visible_range(s, chunk.query_begin + i);
        lo[place] = std::clamp<int64_t>(range.lo - chunk.key_begin, 0, chunk.keys());
        hi[place] = std::clamp<int64_t>(range.hi - chunk.key_begin, 0, chunk.keys());
        skip[place] = range.skip - chunk.key_begin;
      }
      for (int64_t j = 0; j < chunk.keys(); ++j)
        key[first + static_cast<size_t>(j)] = row_of_key(s, chunk.key_begin + j);
    }
  }
  const auto moved = [&](const std::vector<int64_t>& numbers, const std::vector<int64_t>& shape) {
    return torch::tensor(numbers, torch::kInt64).view(shape).to(device);
  };
  const std::vector<int64_t> cells{count, group.chunks, kWide};
  const Tensor sides_2G = moved(sides, {2, count}).to(torch::kBool);
  return {moved(query, cells), moved(key, cells), moved(shared, {count, group.shared}),
          moved(lo, cells),    moved(hi, cells),  moved(skip, cells),
          sides_2G[0],         sides_2G[1]};
}

/// Rows of a batch at padded places, zeros at padding.
Tensor gathered(const Tensor& x_RHE, const Tensor& row) {
  const Tensor real = row >= 0;
  std::vector<int64_t> shape = row.sizes().vec();
  shape.insert(shape.end(), {x_RHE.size(1), x_RHE.size(2)});
  const Tensor rows = x_RHE.index_select(0, row.clamp_min(0).flatten()).view(shape);
  return at::where(real.unsqueeze(-1).unsqueeze(-1), rows, torch::zeros({}, rows.options()));
}

/// Keys' features [..., H, R] with padding at 0, and offsets [..., H] with padding at -infinity.
KeyFeatures key_features(const FeatureMap& map, const Tensor& key, const Tensor& row) {
  KeyFeatures keys = map.keys(key.flatten(0, -3));
  std::vector<int64_t> shape = row.sizes().vec();
  shape.insert(shape.end(), {key.size(-2), keys.feature_SHR.size(-1)});
  const Tensor real = (row >= 0).unsqueeze(-1);
  const Tensor features = keys.feature_SHR.view(shape);
  keys.feature_SHR = at::where(real.unsqueeze(-1), features, torch::zeros({}, features.options()));
  if (keys.offset_SH.defined()) {
    shape.pop_back();
    keys.offset_SH = keys.offset_SH.view(shape).masked_fill(
        real.logical_not(), -std::numeric_limits<double>::infinity());
  }
  return keys;
}

/// Sums of the chunks before each (or behind): [G, H, C, ...], 0 for sequences that do not look.
Tensor sums_beside(const Tensor& own, const Tensor& looks_G, bool behind) {
  if (own.size(2) == 0) return own;
  const Tensor turned = behind ? own.flip(2) : own;
  const Tensor sums =
      at::cat({torch::zeros_like(turned.narrow(2, 0, 1)), turned.narrow(2, 0, turned.size(2) - 1)},
              2)
          .cumsum(2);
  std::vector<int64_t> shape(static_cast<size_t>(own.dim()), 1);
  shape[0] = looks_G.size(0);
  return at::where(looks_G.view(shape), behind ? sums.flip(2) : sums,
                   torch::zeros({}, own.options()));
}

/// context [rows, H, E] of the group's real queries, in the order of `query_GCN`'s real entries.
Tensor group_context(const GroupIndex& index, bool partial, const Tensor& query, const Tensor& key,
                     const Tensor& value, const FeaturePlan& plan) {
  const FeatureMap& map = *plan.map;
  const int64_t count = index.query_GCN.size(0), chunks = index.query_GCN.size(1),
                heads = query.size(1), features = map.features();
  const Tensor query_GHCNR = map.queries(gathered(query, index.query_GCN).flatten(0, 2))
                                 .view({count, chunks, kWide, heads, features})
                                 .permute({0, 3, 1, 2, 4});
  KeyFeatures shared = key_features(map, gathered(key, index.shared_GB), index.shared_GB), own;
  if (partial) own = key_features(map, gathered(key, index.key_GCM), index.key_GCM);
  if (shared.offset_SH.defined()) {
    Tensor top_GH = torch::full({count, heads}, -1e30, query.options());
    if (index.shared_GB.size(1) > 0) top_GH = at::maximum(top_GH, shared.offset_SH.amax(1));
    if (partial) top_GH = at::maximum(top_GH, own.offset_SH.amax({1, 2}));
    shared.feature_SHR =
        shared.feature_SHR * (shared.offset_SH - top_GH.unsqueeze(1)).exp().unsqueeze(-1);
    if (partial) {
      own.feature_SHR =
          own.feature_SHR * (own.offset_SH - top_GH.unsqueeze(1).unsqueeze(1)).exp().unsqueeze(-1);
    }
  }
  const Tensor shared_GHBR = shared.feature_SHR.permute({0, 2, 1, 3}),
               shared_value_GHBE = gathered(value, index.shared_GB).permute({0, 2, 1, 3});
  Tensor sum_GHCRE = at::matmul(shared_GHBR.transpose(2, 3), shared_value_GHBE).unsqueeze(2);
  Tensor normalizer_GHCR = shared_GHBR.sum(2).unsqueeze(2) + plan.key_sum_offset;
  Tensor key_GHCMR, value_GHCME;
  if (partial) {
    key_GHCMR = own.feature_SHR.permute({0, 3, 1, 2, 4});
    value_GHCME = gathered(value, index.key_GCM).permute({0, 3, 1, 2, 4});
    const Tensor own_sum = at::matmul(key_GHCMR.transpose(3, 4), value_GHCME),
                 own_normalizer = key_GHCMR.sum(3);
    for (const bool behind : {false, true}) {
      const Tensor& looks_G = behind ? index.after_G : index.before_G;
      sum_GHCRE = sum_GHCRE + sums_beside(own_sum, looks_G, behind);
      normalizer_GHCR = normalizer_GHCR + sums_beside(own_normalizer, looks_G, behind);
    }
  }
  Tensor context = at::matmul(query_GHCNR, sum_GHCRE),
         denominator = at::matmul(query_GHCNR, normalizer_GHCR.unsqueeze(-1));
  if (partial) {
    const Tensor place_M = torch::arange(kWide, index.lo_GCN.options());
    const Tensor seen_GCNM = (place_M >= index.lo_GCN.unsqueeze(-1))
                                 .logical_and(place_M < index.hi_GCN.unsqueeze(-1))
                                 .logical_and(place_M != index.skip_GCN.unsqueeze(-1));
    const Tensor weight = at::matmul(query_GHCNR, key_GHCMR.transpose(3, 4))
                              .masked_fill(seen_GCNM.logical_not().unsqueeze(1), 0);
    context = context + at::matmul(weight, value_GHCME);
    denominator = denominator + weight.sum(-1, true);
  }
  if (plan.denominator == Denominator::query) {
    const Tensor some = denominator > 0;
    context = at::where(some,
                        context / at::where(some, denominator.clamp_min(1e-20) + plan.epsilon,
                                            torch::ones({}, context.options())),
                        torch::zeros({}, context.options()));
  }
  return context.permute({0, 2, 3, 1, 4}).reshape({count * chunks * kWide, heads, value.size(2)});
}

}  // namespace

Tensor feature_chunked(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                       const FeaturePlan& plan) {
  if (plan.denominator == Denominator::feature) {
    const DividedFeatures divided = divide_features(query_THE, key_SHE, {}, plan);
    return feature_chunked(divided.query_THR, divided.key_SHR, value_SHE.to(torch::kDouble),
                           divided.plan)
        .to(query_THE.scalar_type());
  }
  const at::ScalarType given = query_THE.scalar_type(),
                       inside = given == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor query = query_THE.to(inside), key = key_SHE.to(inside), value = value_SHE.to(inside);
  Tensor context = torch::zeros({query.size(0), query.size(1), value.size(2)}, query.options());
  for (const ChunkGroup& group : chunk_groups(plan.sequences)) {
    if (group.count() == 0) continue;
    const GroupIndex index = index_of(group, query.device());
    const Tensor padded = group_context(index, group.partial(), query, key, value, plan);
    const Tensor rows = index.query_GCN.flatten();
    const Tensor real = (rows >= 0).nonzero().flatten();
    context = context.index_copy(0, rows.index_select(0, real), padded.index_select(0, real));
  }
  return context.to(given);
}

}  // namespace tenfold::nn

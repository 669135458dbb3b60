// Tables of exponentials and the products over them, in blocks of rows where the mask differs from
// row to row. Not here: when a table may be used (synthesizer_attention.cpp).
//
// G sequences of a group, R rows of a block, C keys that its rows can see.
#include "methods/synthesizer/exp_table.h"

#include <algorithm>
#include <tuple>

#include "nn/visible_range.h"

namespace tenfold::synthesizer {
namespace {

using nn::AttentionSequence;
using nn::VisibleRange;

constexpr size_t kMostSums =
    512;  // lengths: no more numbers than the table of a model of 512 tokens
constexpr int64_t kBlockRows = 64;

double least_sum(at::ScalarType type) { return type == at::kDouble ? 1e-290 : 1e-30; }

/// Keys that query `i` sees by mask kind alone, holes not counted: by place.
VisibleRange range_by_place(const AttentionSequence& s, int64_t i) {
  const AttentionSequence whole{.queries = s.queries,
                                .keys = s.keys,
                                .past = s.past,
                                .kind = s.kind,
                                .source = s.source,
                                .kept = {}};
  return nn::visible_range(whole, i);
}

bool sees_a_key(const AttentionSequence& s, int64_t i) {
  const VisibleRange seen = nn::visible_range(s, i);
  return seen.hi - seen.lo > (seen.skip >= 0 ? 1 : 0);
}

/// Sequences whose rows have the same weights before holes.
using Group = std::vector<const AttentionSequence*>;

std::vector<Group> groups_of(const std::vector<AttentionSequence>& sequences) {
  std::map<std::tuple<int64_t, int64_t, int64_t, See, int64_t>, Group> groups;
  for (const AttentionSequence& s : sequences) {
    if (s.queries > 0 && s.seen_keys() > 0)
      groups[{s.queries, s.keys, s.past, s.kind, s.source}].push_back(&s);
  }
  std::vector<Group> result;
  for (auto& [shape, group] : groups) result.push_back(std::move(group));
  return result;
}

/// One block of a group's rows: query rows first .. first + rows - 1 see nothing outside keys
/// lo .. lo + exp_HRC.size(2) - 1.
struct Block {
  int64_t first = 0, lo = 0;
  Tensor exp_HRC;  ///< 0 where the mask hides
};

template <typename scalar_t>
void hide(Tensor& exp_HRC, int64_t row, const VisibleRange& seen, int64_t lo) {
  const int64_t rows = exp_HRC.size(1), width = exp_HRC.size(2);
  for (int64_t h = 0; h < exp_HRC.size(0); ++h) {
    scalar_t* x = exp_HRC.mutable_data_ptr<scalar_t>() + (h * rows + row) * width;
    std::fill(x, x + std::clamp<int64_t>(seen.lo - lo, 0, width), scalar_t(0));
    std::fill(x + std::clamp<int64_t>(seen.hi - lo, 0, width), x + width, scalar_t(0));
    if (seen.skip >= seen.lo && seen.skip < seen.hi) x[seen.skip - lo] = 0;
  }
}

Block block_of(const Tensor& exp_HNN, const AttentionSequence& s, int64_t first, int64_t rows) {
  int64_t lo = s.keys, hi = 0;
  bool alike = true;
  const VisibleRange front = range_by_place(s, first);
  for (int64_t i = first; i < first + rows; ++i) {
    const VisibleRange seen = range_by_place(s, i);
    alike = alike && seen.lo == front.lo && seen.hi == front.hi && seen.skip < 0;
    if (seen.lo >= seen.hi) continue;
    lo = std::min(lo, seen.lo);
    hi = std::max(hi, seen.hi);
  }
  if (lo >= hi) return {};
  Block block{.first = first,
              .lo = lo,
              .exp_HRC = exp_HNN.narrow(1, s.past + first, rows).narrow(2, lo, hi - lo)};
  if (alike) return block;
  block.exp_HRC = block.exp_HRC.clone(at::MemoryFormat::Contiguous);
  for (int64_t i = 0; i < rows; ++i) {
    const VisibleRange seen = range_by_place(s, first + i);
    if (exp_HNN.scalar_type() == at::kFloat) {
      hide<float>(block.exp_HRC, i, seen, lo);
    } else {
      hide<double>(block.exp_HRC, i, seen, lo);
    }
  }
  return block;
}

/// Values of a group side by side, [H, m, G * E]: hidden ones are zeros, whatever they held.
Tensor values_side_by_side(const Tensor& value_SHE, const Group& group) {
  const int64_t heads = value_SHE.size(1), size = value_SHE.size(2), m = group[0]->keys;
  if (group.size() == 1 && !group[0]->has_holes)
    return value_SHE.narrow(0, group[0]->key_begin, m).transpose(0, 1);
  const auto count = static_cast<int64_t>(group.size());
  Tensor values_HMGE = torch::empty({heads, m, count, size}, value_SHE.options());
  for (int64_t g = 0; g < count; ++g) {
    const AttentionSequence& s = *group[static_cast<size_t>(g)];
    const Tensor rows_HME = value_SHE.narrow(0, s.key_begin, m).transpose(0, 1);
    Tensor to_HME = values_HMGE.select(2, g);
    if (s.has_holes) {
      const Tensor kept = torch::tensor(s.kept, torch::kInt64);
      to_HME.zero_();
      to_HME.index_copy_(1, kept, rows_HME.index_select(1, kept));
    } else {
      to_HME.copy_(rows_HME);
    }
  }
  return values_HMGE.view({heads, m, count * size});
}

/// 1 where a sequence of the group may be asked for a key, [m, G]; undefined where all may.
Tensor kept_flags(const Group& group, const torch::TensorOptions& options) {
  if (std::none_of(group.begin(), group.end(), [](const auto* s) { return s->has_holes; }))
    return {};
  Tensor flags_MG = torch::ones({group[0]->keys, static_cast<int64_t>(group.size())}, options);
  for (size_t g = 0; g < group.size(); ++g) {
    if (!group[g]->has_holes) continue;
    Tensor flags_M = flags_MG.select(1, static_cast<int64_t>(g));
    flags_M.zero_();
    flags_M.index_fill_(0, torch::tensor(group[g]->kept, torch::kInt64), 1);
  }
  return flags_MG;
}

/// 1 / sum, 0 for rows that see nothing; undefined where a row that sees something has too small a
/// sum. sum_HRG: G may be 1 for all of the group.
Tensor inverse_sums(const Tensor& sum_HRG, const Group& group, int64_t first) {
  const double least = least_sum(sum_HRG.scalar_type());
  if (sum_HRG.min().item<double>() >= least) return sum_HRG.reciprocal();
  const Tensor small_RG = sum_HRG.lt(least).any(0).contiguous();
  const bool* small = small_RG.const_data_ptr<bool>();
  for (int64_t r = 0; r < small_RG.size(0); ++r) {
    for (size_t g = 0; g < group.size(); ++g) {
      const int64_t column = small_RG.size(1) == 1 ? 0 : static_cast<int64_t>(g);
      if (small[r * small_RG.size(1) + column] && sees_a_key(*group[g], first + r)) return {};
    }
  }
  return torch::where(sum_HRG.lt(least), torch::zeros({}, sum_HRG.options()), sum_HRG.reciprocal());
}

/// Contexts of a group into rows of context_THE; false where the table cannot serve.
bool mix_group(const ExpTable& table, const Tensor& value_SHE, const Group& group,
               Tensor& context_THE) {
  const AttentionSequence& s = *group[0];
  const int64_t heads = value_SHE.size(1), size = value_SHE.size(2);
  const auto count = static_cast<int64_t>(group.size());
  const Tensor values_HMC = values_side_by_side(value_SHE, group);
  const Tensor flags_MG = kept_flags(group, value_SHE.options());
  const bool one_mask = s.kind == See::all;
  const int64_t step = one_mask ? s.queries : kBlockRows;
  for (int64_t first = 0; first < s.queries; first += step) {
    const int64_t rows = std::min(step, s.queries - first);
    const Block block = block_of(table.exp_HNN(), s, first, rows);
    if (!block.exp_HRC.defined()) continue;
    const int64_t width = block.exp_HRC.size(2);
    Tensor sum_HRG;
    if (flags_MG.defined()) {
      sum_HRG = at::matmul(block.exp_HRC, flags_MG.narrow(0, block.lo, width));
    } else if (one_mask) {
      sum_HRG = table.sums_HN(s.keys).narrow(1, s.past, rows).unsqueeze(2);
    } else {
      sum_HRG = block.exp_HRC.sum(2, true);
    }
    const Tensor inverse_HRG = inverse_sums(sum_HRG, group, first);
    if (!inverse_HRG.defined()) return false;
    const Tensor mixed_HRGE = at::bmm(block.exp_HRC, values_HMC.narrow(1, block.lo, width))
                                  .view({heads, rows, count, size});
    for (int64_t g = 0; g < count; ++g) {
      Tensor to_HRE =
          context_THE.narrow(0, group[static_cast<size_t>(g)]->query_begin + first, rows)
              .transpose(0, 1);
      const Tensor inverse_HR1 = inverse_HRG.narrow(2, inverse_HRG.size(2) == 1 ? 0 : g, 1);
      at::mul_out(to_HRE, mixed_HRGE.select(2, g), inverse_HR1);
    }
  }
  return true;
}

}  // namespace

ExpTable::ExpTable(const Tensor& scores_HNN) {
  exp_HNN_ = (scores_HNN - scores_HNN.amax(2, true)).exp_();
}

Tensor ExpTable::sums_HN(int64_t keys) const {
  const std::lock_guard lock(mutex_);
  if (sums_.size() >= kMostSums && !sums_.contains(keys)) sums_.clear();
  Tensor& sums = sums_[keys];
  if (!sums.defined()) sums = exp_HNN_.narrow(2, 0, keys).sum(2);
  return sums;
}

std::optional<Tensor> mix_by_table(const ExpTable& table, const Tensor& value_SHE,
                                   const std::vector<AttentionSequence>& sequences,
                                   int64_t query_rows) {
  RECORD_FUNCTION("tenfold::synthesizer_table", std::vector<c10::IValue>());
  const Tensor values = value_SHE.to(table.exp_HNN().scalar_type());
  Tensor context_THE = torch::zeros({query_rows, values.size(1), values.size(2)}, values.options());
  for (const Group& group : groups_of(sequences)) {
    if (!mix_group(table, values, group, context_THE)) return std::nullopt;
  }
  return context_THE.to(value_SHE.scalar_type());
}

}  // namespace tenfold::synthesizer

// Rows are counted by sequence on the host: a layout is a host's plan.
// Not here: the layer.
#include "nn/asked_rows.h"

#include <algorithm>

#include "nn/filler.h"
#include "nn/onednn.h"
#include "support/fail.h"

namespace tenfold::nn {
namespace {

/// Of all rows, at most this many: beyond, a fused projection of all three is worth more.
constexpr double kMostRows = 0.75;

/// Rows of each sequence among `rows`, which ascend.
std::vector<int64_t> counts_of(const SequenceLayout& layout, const Tensor& rows) {
  const auto* row = rows.const_data_ptr<int64_t>();
  const int64_t* end = row + rows.size(0);
  require(std::is_sorted(row, end) && *row >= 0 && *(end - 1) < layout.total(), ErrorKind::internal,
          "stack", "rows that are asked for must ascend within the pass");
  std::vector<int64_t> counts;
  for (int64_t b = 0; b < layout.count(); ++b) {
    const int64_t* next = std::lower_bound(row, end, layout.begin(b) + layout.length(b));
    counts.push_back(next - row);
    row = next;
  }
  return counts;
}

}  // namespace

bool places_matter(const AttentionContext& context) {
  return context.bias || !std::all_of(context.mask.see.begin(), context.mask.see.end(),
                                      [](See kind) { return kind == See::all; });
}

std::optional<AskedRows> asked_rows(const AttentionContext& whole, const Tensor& rows_P,
                                    const Tensor& hidden_TD) {
  const int64_t count = rows_P.size(0);
  if (count == 0 || static_cast<double>(count) > kMostRows * static_cast<double>(hidden_TD.size(0)))
    return std::nullopt;
  if (places_matter(whole) || whole.observer != nullptr) return std::nullopt;
  Tensor rows = rows_P.to(torch::kCPU).contiguous();
  const int64_t more = onednn_serves(hidden_TD) ? rounded_rows(count) - count : 0;
  if (more > 0) rows = at::cat({rows, rows.narrow(0, count - 1, 1).expand({more})});
  AskedRows out{.rows_P = rows.to(hidden_TD.device()), .context = whole};
  out.context.query_layout = SequenceLayout::of_lengths(counts_of(whole.source_layout, rows));
  if (whole.row_keys_T.defined())
    out.context.row_keys_T = whole.row_keys_T.index_select(0, out.rows_P);
  return out;
}

Tensor asked_scores(const Tensor& flat_scores, const Tensor& rows_P,
                    const std::vector<AttentionSequence>& sequences, int64_t heads) {
  std::vector<int64_t> sizes;
  for (const AttentionSequence& s : sequences) sizes.push_back(heads * s.keys * s.seen_keys());
  const std::vector<Tensor> whole = flat_scores.split_with_sizes(sizes);
  std::vector<Tensor> some;
  int64_t row = 0;
  for (size_t b = 0; b < sequences.size(); ++b) {
    const AttentionSequence& s = sequences[b];
    const Tensor places = rows_P.narrow(0, row, s.queries) - s.key_begin;
    some.push_back(whole[b].view({heads, s.keys, s.seen_keys()}).index_select(1, places).flatten());
    row += s.queries;
  }
  return at::cat(some);
}

}  // namespace tenfold::nn

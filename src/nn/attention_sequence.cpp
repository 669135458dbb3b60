// From layouts and masks to one sequence's numbers.
// Not here: decoding, where memories hold the keys.
#include "nn/attention_sequence.h"

namespace tenfold::nn {

void leave_out_holes(AttentionSequence& s, const Tensor& keep_M) {
  if (!keep_M.defined()) return;
  const Tensor host = keep_M.to(torch::kBool).cpu().contiguous();
  const bool* keep = host.const_data_ptr<bool>();
  for (int64_t j = 0; j < s.keys; ++j) {
    if (keep[j]) s.kept.push_back(j);
  }
  s.has_holes = static_cast<int64_t>(s.kept.size()) < s.keys;
  if (!s.has_holes) s.kept.clear();
}

int64_t source_of(const MaskSpec& mask, int64_t b) {
  return mask.kind(b) == See::prefix ? mask.source[static_cast<size_t>(b)] : 0;
}

std::vector<AttentionSequence> attention_sequences(const AttentionContext& context) {
  std::vector<AttentionSequence> sequences;
  for (int64_t b = 0; b < context.query_layout.count(); ++b) {
    AttentionSequence s{.query_begin = context.query_layout.begin(b),
                        .queries = context.query_layout.length(b),
                        .key_begin = context.source_layout.begin(b),
                        .keys = context.source_layout.length(b),
                        .past = context.past.empty() ? 0 : context.past[static_cast<size_t>(b)],
                        .kind = context.mask.kind(b),
                        .source = source_of(context.mask, b),
                        .kept = {}};
    if (context.mask.keep_S.defined())
      leave_out_holes(s, context.mask.keep_S.narrow(0, s.key_begin, s.keys));
    sequences.push_back(std::move(s));
  }
  return sequences;
}

}  // namespace tenfold::nn

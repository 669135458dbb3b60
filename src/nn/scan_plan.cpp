// Cuts a sequence's queries into chunks and finds the keys each chunk sees in part.
// Not here: the masks' meaning (visible_range.h).
#include "nn/scan_plan.h"

#include <algorithm>

#include "nn/visible_range.h"

namespace tenfold::nn {

ScanPlan scan_plan(const AttentionSequence& s, int64_t rows) {
  ScanPlan plan;
  plan.rows = rows;
  plan.keys = plan.tail = s.seen_keys();
  plan.before = s.kind == See::past || s.kind == See::prefix || s.kind == See::others;
  plan.after = s.kind == See::future || s.kind == See::others;
  if (s.kind == See::all) plan.base = plan.keys;
  if (plan.before) plan.base = key_index(s, s.past);
  if (s.kind == See::prefix) plan.base = std::max(plan.base, key_index(s, s.source));
  if (plan.after) plan.tail = key_index(s, s.past + s.queries);
  int64_t edge = plan.before ? plan.base : key_index(s, s.past);
  for (int64_t i = 0; i < s.queries; i += rows) {
    ScanChunk here{i, std::min(i + rows, s.queries), 0, 0};
    if (plan.partial()) {
      here.key_begin = edge;
      here.key_end = edge = std::max(edge, key_index(s, s.past + here.query_end));
    }
    plan.chunks.push_back(here);
  }
  return plan;
}

}  // namespace tenfold::nn

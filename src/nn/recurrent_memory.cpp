// Keys of a step join the state when the next step shows that they were committed.
// Not here: the sums (feature_scan.cpp).
#include "nn/recurrent_memory.h"

#include "support/fail.h"

namespace tenfold::nn {

/// Brings a row to `past` keys: the first of the pending ones join the state, the others go.
void RecurrentMemory::take_in(Row& row, int64_t past, const FeaturePlan& plan) const {
  if (past == 0) row = {};
  const int64_t taken = past - row.count;
  require(taken >= 0 && taken <= row.pending(), ErrorKind::unsupported, "attention memory",
          "a state of {} keys and {} more of the last step cannot go on at {}", row.count,
          row.pending(), past);
  if (taken > 0) {
    const Tensor keep_N = row.keep_N.defined() ? row.keep_N.narrow(0, 0, taken) : Tensor();
    row.state = extend_state(row.state, row.key_NHE.narrow(0, 0, taken),
                             row.value_NHE.narrow(0, 0, taken), keep_N, plan);
    row.count = past;
  }
  row.key_NHE = row.value_NHE = row.keep_N = Tensor();
}

Tensor RecurrentMemory::step(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const AttentionIn& in, FeaturePlan plan) {
  const torch::NoGradGuard no_grad;
  const AttentionContext& context = in.context;
  const int64_t count = context.query_layout.count();
  require(static_cast<int64_t>(rows_.size()) == count, ErrorKind::shape, "attention",
          "the memory has {} rows, the batch {}", rows_.size(), count);
  const bool given = in.keys == KeysFrom::given;
  std::vector<RecurrentState> states;
  for (int64_t b = 0; b < count; ++b) {
    Row& row = rows_[static_cast<size_t>(b)];
    const int64_t past = context.past.empty() ? 0 : context.past[static_cast<size_t>(b)];
    AttentionSequence s{.query_begin = context.query_layout.begin(b),
                        .queries = context.query_layout.length(b),
                        .kept = {}};
    if (given && context.source_layout.length(b) > 0) {
      s.key_begin = context.source_layout.begin(b);
      s.keys = context.source_layout.length(b);
      take_in(row, in.side == Side::self ? past : 0, plan);
      const auto rows = [&](const Tensor& x) {
        return x.narrow(0, s.key_begin, s.keys).to(torch::kCPU, x.scalar_type(), false, true);
      };
      row.key_NHE = rows(key_SHE);
      row.value_NHE = rows(value_SHE);
      if (context.mask.keep_S.defined()) {
        row.keep_N = rows(context.mask.keep_S);
        leave_out_holes(s, row.keep_N);
      }
    } else if (in.side == Side::cross && row.pending() > 0) {
      take_in(row, row.pending(), plan);
    }
    // Keys of before are in the state; a prefix that has arrived whole leaves an ordinary past.
    if (in.side == Side::self) s.kind = See::past;
    if (in.side == Side::self && past == 0 && context.mask.kind(b) == See::prefix) {
      s.kind = See::prefix;
      s.source = context.mask.source[static_cast<size_t>(b)];
    }
    states.push_back(row.state);
    plan.sequences.push_back(std::move(s));
  }
  // States stay on the host: a step is small, and the kernel is there.
  const Tensor query = query_THE.cpu(), none = query.narrow(0, 0, 0);
  return feature_step(query, given ? key_SHE.cpu() : none, given ? value_SHE.cpu() : none, states,
                      plan)
      .to(query_THE.device());
}

void RecurrentMemory::select(const std::vector<int64_t>& parents) {
  std::vector<Row> moved;
  moved.reserve(parents.size());
  for (const int64_t parent : parents) moved.push_back(rows_.at(static_cast<size_t>(parent)));
  rows_ = std::move(moved);
}

void RecurrentMemory::truncate(const std::vector<int64_t>& past) {
  for (size_t b = 0; b < rows_.size(); ++b) {
    Row& row = rows_[b];
    const int64_t wanted = past.at(b);
    if (wanted >= row.count + row.pending()) continue;
    require(wanted >= row.count || wanted == 0, ErrorKind::unsupported, "attention memory",
            "sequence {} cannot go back to {} tokens: a recurrent state of {} keys does not forget",
            b, wanted, row.count);
    if (wanted == 0) {
      row = {};
      continue;
    }
    const int64_t kept = wanted - row.count;
    for (Tensor* part : {&row.key_NHE, &row.value_NHE, &row.keep_N}) {
      if (part->defined()) *part = part->narrow(0, 0, kept);
    }
  }
}

void RecurrentMemory::add(int64_t count) {
  rows_.resize(rows_.size() + static_cast<size_t>(count));
}

}  // namespace tenfold::nn

// The checks every attention kind makes of what it is given.
// Not here: kernels.
#include "nn/attention.h"

#include <algorithm>

#include "nn/asked_rows.h"
#include "support/fail.h"

namespace tenfold::nn {
namespace {

void check_step(const AttentionContext& context, int64_t b, See kind) {
  const int64_t past = context.past[static_cast<size_t>(b)], n = context.query_layout.length(b);
  if (n == 0) return;
  require(kind == See::past || kind == See::prefix, ErrorKind::unsupported, "attention",
          "sequence {} cannot be decoded step by step: its mask lets earlier tokens see later ones",
          b);
  if (kind != See::prefix) return;
  const int64_t source = context.mask.source[static_cast<size_t>(b)];
  require(past >= source || (past == 0 && n >= source), ErrorKind::unsupported, "attention",
          "the whole source of sequence {} ({} tokens) must arrive in its first step, got {}", b,
          source, past + n);
}

}  // namespace

void check_context(const AttentionIn& in, const AttentionTraits& traits) {
  const AttentionContext& context = in.context;
  const int64_t count = context.query_layout.count();
  require(in.query_TD.size(0) == context.query_layout.total(), ErrorKind::shape, "attention",
          "expected {} query rows, got {}", context.query_layout.total(), in.query_TD.size(0));
  require(context.past.empty() || static_cast<int64_t>(context.past.size()) == count,
          ErrorKind::shape, "attention", "expected {} past lengths, got {}", count,
          context.past.size());
  if (in.keys == KeysFrom::given) {
    require(context.source_layout.count() == count &&
                in.source_SD.size(0) == context.source_layout.total(),
            ErrorKind::shape, "attention",
            "expected {} sequences with {} source rows, got {} with {}", count,
            context.source_layout.total(), context.source_layout.count(), in.source_SD.size(0));
    context.mask.check(count, context.source_layout.lengths());
  }
  for (const See kind : context.mask.see) {
    require(std::find(traits.kinds.begin(), traits.kinds.end(), kind) != traits.kinds.end(),
            ErrorKind::unsupported, "attention",
            "this kind of attention does not honour the mask asked for");
  }
  if (in.asking_P.defined()) {
    require(traits.free_queries && !places_matter(context) && in.memory == nullptr,
            ErrorKind::internal, "attention", "some rows cannot ask alone where places matter");
  }
  require(!context.bias || traits.bias, ErrorKind::unsupported, "attention",
          "this kind of attention cannot take a position bias");
  if (in.memory == nullptr) {
    require(in.keys == KeysFrom::given, ErrorKind::internal, "attention",
            "keys from memory, but there is none");
    return;
  }
  if (in.side == Side::cross) return;
  require(static_cast<int64_t>(context.past.size()) == count, ErrorKind::shape, "attention",
          "decoding needs a past length for each of {} sequences", count);
  require(context.query_layout == context.source_layout, ErrorKind::shape, "attention",
          "decoding self-attention needs a key for every query");
  for (int64_t b = 0; b < count; ++b) check_step(context, b, context.mask.kind(b));
}

}  // namespace tenfold::nn

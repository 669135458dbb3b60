// The built-in attention against plain loops: kinds alone and mixed, holes, packed documents,
// 16-bit formats, and cross-attention in one pass and step by step. Not here: properties of every
// kind (attention_properties_test.cpp) or goldens.
#include "attention_oracle.h"

#include "nn/decode_state.h"

namespace tenfold::nn::testing {
namespace {

const AttentionKind& softmax_kind() { return attention_table().find("softmax"); }

std::vector<std::vector<See>> every_kind_and_all_mixed() {
  std::vector<std::vector<See>> all{kAllKinds};
  for (const See see : kAllKinds) all.push_back({see});
  return all;
}

const std::vector<int64_t> kRagged{5, 1, 0, 9, 2, 6, 7, 3, 4};

/// Hides some keys: all of sequence 1, some of sequence 3, the first and last of sequence 6.
Tensor holes(const SequenceLayout& layout) {
  Tensor keep_S = torch::ones({layout.total()}, torch::kBool);
  for (const auto& [b, key] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 0}, {3, 0}, {3, 4}, {3, 5}, {6, 0}, {6, 6}}) {
    keep_S[layout.begin(b) + key] = false;
  }
  return keep_S;
}

TEST(AttentionOracle, EveryKindAloneAndMixedWithHolesEqualsPlainLoops) {
  const auto attention = build(softmax_kind());
  for (const auto& see : every_kind_and_all_mixed()) {
    for (const bool with_holes : {false, true}) {
      Batch batch = make_batch(kRagged, see);
      if (with_holes) batch.mask.keep_S = holes(batch.layout);
      const AttentionContext context = context_of(batch);
      const Tensor x = random_rows(batch.layout.total(), kWidth, 1);
      const Oracle expected = plain_loops(*attention, x, x, visible_of(context));
      for (const bool grad : {true, false}) {
        const torch::AutoGradMode mode(grad);
        EXPECT_LE(worst(run(*attention, context, x), expected), 1e-12)
            << kind_name(see[0]) << see.size();
      }
    }
  }
}

TEST(AttentionOracle, PackedDocumentsEqualOneRowUnderADenseBlockDiagonalMask) {
  // Documents of packed rows are sequences; the oracle gets all rows as one text and a matrix.
  const auto attention = build(softmax_kind());
  const std::vector<int64_t> documents{4, 1, 7, 3, 5};
  for (const auto& see : every_kind_and_all_mixed()) {
    const Batch batch = make_batch(documents, see);
    const int64_t total = batch.layout.total();
    Tensor dense = torch::zeros({total, total}, torch::kBool);
    for (int64_t b = 0; b < batch.layout.count(); ++b) {
      const int64_t begin = batch.layout.begin(b), n = batch.layout.length(b);
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j)
          dense[begin + i][begin + j] =
              sees(batch.mask.kind(b), batch.mask.source[static_cast<size_t>(b)], i, j);
      }
    }
    const Tensor x = random_rows(total, kWidth, 2);
    const Oracle expected = plain_loops(
        *attention, x, x, [&](int64_t t, int64_t s) { return dense[t][s].item<bool>(); });
    EXPECT_LE(worst(run(*attention, context_of(batch), x), expected), 1e-12);
  }
}

TEST(AttentionOracle, SixteenBitFormatsStayWithinTheirRounding) {
  // Unit roundoff u. Queries, keys and values are rounded once after an exact-enough product and
  // once with their bias; scores and the softmax are kept in float32. So a score is off by at most
  // 4 u A (A: the largest sum of |q k| * scale), each weight by a factor exp(+-8 u A), values by
  // 2 u and the result by u more.
  for (const auto& [dtype, u] : {std::pair(at::kBFloat16, 0x1p-9), std::pair(at::kHalf, 0x1p-12)}) {
    const auto attention = build(softmax_kind(), 0.0, dtype);
    for (const auto& see : every_kind_and_all_mixed()) {
      Batch batch = make_batch(kRagged, see);
      batch.mask.keep_S = holes(batch.layout);
      const AttentionContext context = context_of(batch);
      const Tensor x = random_rows(batch.layout.total(), kWidth, 3, dtype);
      const Oracle expected = plain_loops(*attention, x, x, visible_of(context));
      const double bound =
          expected.largest_value * (std::expm1(8 * u * expected.largest_score) + 3 * u);
      for (const bool grad : {true, false}) {
        const torch::AutoGradMode mode(grad);
        const Tensor out = run(*attention, context, x);
        EXPECT_EQ(out.scalar_type(), dtype);
        EXPECT_LE(worst(out, expected), bound) << kind_name(see[0]) << see.size() << grad;
        EXPECT_GT(worst(out, expected), 0.0);
      }
    }
  }
}

TEST(AttentionOracle, SixteenBitGradientsPointWhereThoseOfDoubleDo) {
  for (const auto& [dtype, u] : {std::pair(at::kBFloat16, 0x1p-9), std::pair(at::kHalf, 0x1p-12)}) {
    const auto narrow = build(softmax_kind(), 0.0, dtype), wide = build(softmax_kind());
    {
      const torch::NoGradGuard no_grad;
      for (const auto& p : narrow->named_parameters())
        wide->named_parameters()[p.key()].copy_(p.value());
    }
    const Batch batch = make_batch(kRagged, kAllKinds);
    const auto gradients = [&](const Attention& attention, at::ScalarType type) {
      Tensor x = random_rows(batch.layout.total(), kWidth, 3, dtype).to(type).requires_grad_();
      const Tensor weight = random_rows(x.size(0), kHeads * kHeadSize, 4, dtype).to(type);
      std::vector<Tensor> inputs{x};
      for (const Tensor& p : attention.parameters()) inputs.push_back(p);
      return torch::autograd::grad({(run(attention, context_of(batch), x) * weight).sum()}, inputs);
    };
    const auto got = gradients(*narrow, dtype), expected = gradients(*wide, at::kDouble);
    for (size_t i = 0; i < got.size(); ++i) {
      const Tensor off = got[i].to(torch::kDouble) - expected[i];
      EXPECT_LE(off.norm().item<double>(), 16 * u * expected[i].norm().item<double>() + 16 * u)
          << i;
    }
  }
}

/// Queries and sources of unequal length; sequence 2 asks nothing, sequence 3 has no source.
const std::vector<int64_t> kQueries{4, 6, 0, 3, 5}, kSources{3, 8, 4, 0, 1};

AttentionContext cross_context(const std::vector<int64_t>& queries, const Tensor& keep_S) {
  return {.query_layout = SequenceLayout::of_lengths(queries),
          .source_layout = SequenceLayout::of_lengths(kSources),
          .mask = {.see = {See::all}, .source = {}, .keep_S = keep_S},
          .bias = nullptr,
          .past = {},
          .pass = {},
          .row_keys_T = {}};
}

TEST(CrossAttention, OnePassEqualsPlainLoops) {
  const auto attention = build(softmax_kind());
  Tensor keep_S = torch::ones({16}, torch::kBool);
  for (const int64_t hole : {0, 5, 6, 15}) keep_S[hole] = false;  // 15: the only key of the last
  for (const Tensor& keep : {Tensor(), keep_S}) {
    const AttentionContext context = cross_context(kQueries, keep);
    const Tensor query = random_rows(18, kWidth, 5), source = random_rows(16, kWidth, 6);
    const Oracle expected = plain_loops(*attention, query, source, visible_of(context));
    const AttentionIn in{.context = context,
                         .query_TD = query,
                         .source_SD = source,
                         .side = Side::cross,
                         .carry = nullptr};
    EXPECT_LE(worst(attention->forward(in).context_TD, expected), 1e-12);
  }
}

/// Encodes the sources once, with no query yet or together with the first ones; then each step asks
/// one more row of every sequence, and half-way the sequences change places.
void check_cross_steps(const AttentionKind& kind, const Tensor& keep_S, bool sources_first) {
  const torch::NoGradGuard no_grad;
  const auto attention = build(kind);
  const Tensor query = random_rows(18, kWidth, 5), source = random_rows(16, kWidth, 6);
  const auto layout = SequenceLayout::of_lengths(kQueries);
  const AttentionContext whole = cross_context(kQueries, keep_S);
  const Tensor full = attention
                          ->forward({.context = whole,
                                     .query_TD = query,
                                     .source_SD = source,
                                     .side = Side::cross,
                                     .carry = nullptr})
                          .context_TD;
  const auto memory = attention->new_memory(5, 8);
  std::vector<int64_t> order{0, 1, 2, 3, 4};  // of the memory's rows
  bool encoded = false;
  const auto ask = [&](int64_t step) {
    std::vector<int64_t> counts;
    std::vector<Tensor> rows{query.narrow(0, 0, 0)}, wanted{full.narrow(0, 0, 0)};
    for (const int64_t b : order) {
      const bool asks = step >= 0 && step < kQueries[static_cast<size_t>(b)];
      counts.push_back(asks ? 1 : 0);
      if (!asks) continue;
      rows.push_back(query.narrow(0, layout.begin(b) + step, 1));
      wanted.push_back(full.narrow(0, layout.begin(b) + step, 1));
    }
    AttentionContext context = cross_context(counts, encoded ? Tensor() : keep_S);
    if (encoded) context.source_layout = context.query_layout;  // no source rows are given
    context.past.assign(5, std::max<int64_t>(step, 0));
    const AttentionIn in{.context = context,
                         .query_TD = at::cat(rows),
                         .source_SD = encoded ? Tensor() : source,
                         .side = Side::cross,
                         .keys = encoded ? KeysFrom::memory : KeysFrom::given,
                         .carry = nullptr,
                         .memory = memory.get()};
    EXPECT_LE(worst(attention->forward(in).context_TD, at::cat(wanted)), 1e-12) << step;
    encoded = true;
  };
  if (sources_first) ask(-1);
  for (int64_t step = 0; step < 6; ++step) {
    if (step == 3) {
      memory->select({4, 0, 3, 1, 2});
      order = {4, 0, 3, 1, 2};
    }
    ask(step);
  }
}

TEST(CrossAttention, StepsOverAnEncodedSourceEqualTheFullPass) {
  Tensor keep_S = torch::ones({16}, torch::kBool);
  for (const int64_t hole : {0, 5, 6, 15}) keep_S[hole] = false;
  for (const AttentionKind& kind : attention_table().kinds()) {
    const AttentionTraits traits = kind.traits(*kind.options());
    if (!traits.cross || !traits.incremental) continue;
    SCOPED_TRACE(kind.name);
    for (const Tensor& keep : {Tensor(), keep_S}) {
      for (const bool sources_first : {true, false}) check_cross_steps(kind, keep, sources_first);
    }
  }
}

}  // namespace
}  // namespace tenfold::nn::testing

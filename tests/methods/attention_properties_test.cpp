// Properties every registered attention kind must have, for every mask kind it honours: a kind that
// is registered is covered without another line here, its options by a line in
// attention_variants.cpp. Not here: what one kind computes (its own tests).
#include "attention_variants.h"
#include "nn/asked_rows.h"
#include "nn/attention_fixture.h"
#include "nn/decode_state.h"
#include "support/fail.h"
#include "tensor/gradient_check.h"

namespace tenfold::nn::testing {
namespace {

/// Runs check(kind, mask kinds of the batch) for every variant of every registered kind: each mask
/// kind alone, and all mixed.
template <typename Check>
void for_every_kind(Check check) {
  for (const AttentionVariant& variant : attention_variants()) {
    const AttentionTraits traits = variant.traits();
    for (const See see : traits.kinds) {
      SCOPED_TRACE(variant.name + " " + kind_name(see));
      check(variant, std::vector<See>{see});
    }
    SCOPED_TRACE(variant.name + " mixed");
    check(variant, traits.kinds);
  }
}

std::shared_ptr<Attention> build(const AttentionVariant& variant, double dropout = 0.0) {
  return testing::build(variant.kind(), *variant.options, dropout);
}

const std::vector<int64_t> kLengths{5, 1, 0, 9, 2, 6, 7};

TEST(AttentionProperties, ASequenceAloneEqualsItselfInAnyBatch) {
  for_every_kind([](const AttentionVariant& kind, const std::vector<See>& see) {
    const auto attention = build(kind);
    const Batch batch = make_batch(kLengths, see);
    const Tensor x = random_rows(batch.layout.total(), kWidth, 1);
    for (const bool grad : {true, false}) {
      const torch::AutoGradMode mode(grad);
      const Tensor together = run(*attention, context_of(batch), x);
      for (size_t b = 0; b < kLengths.size(); ++b) {
        Batch one{SequenceLayout::of_lengths({kLengths[b]}), {}, {batch.examples[b]}};
        one.mask.see = {batch.mask.see[b]};
        one.mask.source = {batch.mask.source[b]};
        const int64_t begin = batch.layout.begin(static_cast<int64_t>(b));
        const Tensor alone =
            run(*attention, context_of(one), x.narrow(0, begin, kLengths[b]).clone());
        EXPECT_LE(worst(alone, together.narrow(0, begin, kLengths[b])), 1e-12);
      }
    }
  });
}

TEST(AttentionProperties, PoisonedNeighboursAndHolesChangeNothing) {
  for_every_kind([](const AttentionVariant& kind, const std::vector<See>& see) {
    const auto attention = build(kind);
    Batch batch = make_batch(kLengths, see);
    batch.mask.keep_S = torch::ones({batch.layout.total()}, torch::kBool);
    batch.mask.keep_S[batch.layout.begin(3) + 2] = false;
    batch.mask.keep_S[batch.layout.begin(3) + 8] = false;
    const Tensor x = random_rows(batch.layout.total(), kWidth, 2);
    for (const bool grad : {true, false}) {
      const torch::AutoGradMode mode(grad);
      const Tensor clean = run(*attention, context_of(batch), x);
      for (const double poison : {std::numeric_limits<double>::quiet_NaN(), 1e9}) {
        Tensor bad = x.clone();
        bad.narrow(0, 0, batch.layout.begin(3)).fill_(poison);
        bad[batch.layout.begin(3) + 2] = poison;
        bad[batch.layout.begin(3) + 8] = poison;
        const Tensor out = run(*attention, context_of(batch), bad);
        for (const int64_t i : {0, 1, 3, 4, 7}) {
          EXPECT_LE(worst(out[batch.layout.begin(3) + i], clean[batch.layout.begin(3) + i]), 0.0)
              << "row " << i;
        }
        const int64_t rest = batch.layout.begin(4);
        EXPECT_LE(worst(out.narrow(0, rest, out.size(0) - rest),
                        clean.narrow(0, rest, out.size(0) - rest)),
                  0.0);
      }
    }
  });
}

TEST(AttentionProperties, HiddenPositionsHaveExactlyZeroGradient) {
  for_every_kind([](const AttentionVariant& kind, const std::vector<See>& see) {
    const auto attention = build(kind);
    const Batch batch = make_batch(kLengths, see);
    const Tensor query = random_rows(batch.layout.total(), kWidth, 3);
    Tensor source = random_rows(batch.layout.total(), kWidth, 4).requires_grad_();
    const AttentionContext context = context_of(batch);
    for (int64_t b = 0; b < batch.layout.count(); ++b) {
      const int64_t n = batch.layout.length(b), begin = batch.layout.begin(b);
      const Tensor seen = batch.mask.visible(b, 0, n, n, 0);
      for (int64_t i = 0; i < n; ++i) {
        const Tensor out =
            attention
                ->forward(
                    {.context = context, .query_TD = query, .source_SD = source, .carry = nullptr})
                .context_TD[begin + i];
        const Tensor gradient = torch::autograd::grad({out.sum()}, {source})[0].abs().sum(1);
        for (int64_t t = 0; t < batch.layout.total(); ++t) {
          const bool visible = t >= begin && t < begin + n && seen[i][t - begin].item<bool>();
          if (visible) continue;
          EXPECT_EQ(gradient[t].item<double>(), 0.0)
              << "query " << i << " of " << b << ", row " << t;
        }
        if (seen[i].any().item<bool>()) continue;
        EXPECT_EQ(out.abs().sum().item<double>(), 0.0);
      }
    }
  });
}

TEST(AttentionProperties, GradientsEqualCentralDifferences) {
  for_every_kind([](const AttentionVariant& kind, const std::vector<See>& see) {
    for (const double dropout : {0.0, 0.3}) {
      const auto attention = build(kind, dropout);
      Batch batch = make_batch({4, 1, 0, 5}, see);
      batch.mask.keep_S = torch::ones({10}, torch::kBool);
      batch.mask.keep_S[7] = false;
      Tensor x = random_rows(10, kWidth, 5).requires_grad_();
      const Tensor weight = random_rows(10, kHeads * kHeadSize, 6);
      std::vector<Tensor> inputs{x};
      for (const Tensor& p : attention->parameters()) inputs.push_back(p);
      const auto loss = [&] {
        return (run(*attention, context_of(batch, dropout > 0), x) * weight).sum();
      };
      EXPECT_LE(gradient_error(loss, inputs), 1e-7);
    }
  });
}

TEST(AttentionProperties, EmptyBatchesWork) {
  for (const AttentionVariant& kind : attention_variants()) {
    const auto attention = build(kind);
    for (const std::vector<int64_t>& lengths :
         {std::vector<int64_t>{}, std::vector<int64_t>{0, 0}}) {
      const Tensor x = random_rows(0, kWidth, 1).requires_grad_();
      const Tensor out = run(*attention, context_of(make_batch(lengths, {See::all})), x);
      EXPECT_EQ(out.size(0), 0);
      out.sum().backward();
    }
  }
}

TEST(AttentionProperties, DropoutBitsDoNotDependOnTheBatch) {
  for_every_kind([](const AttentionVariant& kind, const std::vector<See>& see) {
    const auto attention = build(kind, 0.4);
    const Batch batch = make_batch(kLengths, see);
    const Tensor x = random_rows(batch.layout.total(), kWidth, 8);
    const Tensor together = run(*attention, context_of(batch, true), x);
    Batch one{SequenceLayout::of_lengths({kLengths[3]}), {}, {batch.examples[3]}};
    one.mask.see = {batch.mask.see[3]};
    one.mask.source = {batch.mask.source[3]};
    const Tensor alone =
        run(*attention, context_of(one, true), x.narrow(0, batch.layout.begin(3), 9).clone());
    EXPECT_LE(worst(alone, together.narrow(0, batch.layout.begin(3), 9)), 1e-12);
  });
}

TEST(AttentionProperties, RowsThatAskAloneGetTheSame) {
  int64_t kinds = 0;
  for (const AttentionVariant& kind : attention_variants()) {
    if (!kind.traits().free_queries) continue;
    SCOPED_TRACE(kind.name);
    ++kinds;
    const auto attention = build(kind, 0.4);
    const Batch batch = make_batch(kLengths, {See::all});
    const Tensor x = random_rows(batch.layout.total(), kWidth, 8);
    const Tensor rows = torch::tensor(std::vector<int64_t>{0, 1, 4, 7, 7, 20, 29});
    const AttentionContext whole = context_of(batch, true);
    const auto asked = asked_rows(whole, rows, x);
    ASSERT_TRUE(asked.has_value());
    const Tensor alone = attention
                             ->forward({.context = asked->context,
                                        .query_TD = x.index_select(0, rows),
                                        .source_SD = x,
                                        .asking_P = asked->rows_P,
                                        .carry = nullptr})
                             .context_TD;
    EXPECT_LE(worst(alone, run(*attention, whole, x).index_select(0, rows)), 1e-12);
  }
  EXPECT_GT(kinds, 10);
}

/// Feeds rows of full sequences step by step through a memory and compares with one pass.
void check_incremental(const AttentionVariant& kind, See see) {
  const torch::NoGradGuard no_grad;
  const auto attention = build(kind);
  const std::vector<int64_t> lengths{6, 9, 4};
  Batch batch = make_batch(lengths, {see});
  const Tensor x = random_rows(batch.layout.total(), kWidth, 9);
  const Tensor full = run(*attention, context_of(batch), x);
  DecodeState state;
  state.self.push_back(attention->new_memory(3, 16));
  state.past = {0, 0, 0};
  // Rows start at different steps, so that prefill and decoding share batches; each pass is also
  // once thrown away.
  for (int64_t step = 0; step < 12; ++step) {
    std::vector<int64_t> counts(3, 0);
    std::vector<Tensor> rows;
    for (size_t b = 0; b < 3; ++b) {
      if (step < static_cast<int64_t>(b) || state.past[b] == lengths[b]) continue;
      counts[b] = state.past[b] == 0 ? std::max<int64_t>(1, batch.mask.source[b]) : 1;
      rows.push_back(
          x.narrow(0, batch.layout.begin(static_cast<int64_t>(b)) + state.past[b], counts[b]));
    }
    if (rows.empty()) continue;
    AttentionContext context = context_of(batch);
    context.query_layout = context.source_layout = SequenceLayout::of_lengths(counts);
    context.past = state.past;
    for (const double wrong : {3.0, 0.0}) {
      const Tensor fed = at::cat(rows) + wrong;
      const Tensor out = attention
                             ->forward({.context = context,
                                        .query_TD = fed,
                                        .source_SD = fed,
                                        .carry = nullptr,
                                        .memory = state.self[0].get()})
                             .context_TD;
      if (wrong > 0) continue;
      for (int64_t b = 0; b < 3; ++b) {
        const auto i = static_cast<size_t>(b);
        EXPECT_LE(worst(out.narrow(0, context.query_layout.begin(b), counts[i]),
                        full.narrow(0, batch.layout.begin(b) + state.past[i], counts[i])),
                  1e-12);
      }
    }
    state.commit(counts);
  }
  EXPECT_EQ(state.past, lengths);
}

TEST(AttentionProperties, IncrementalEqualsFull) {
  for (const AttentionVariant& kind : attention_variants()) {
    const AttentionTraits traits = kind.traits();
    if (!traits.incremental) continue;
    for (const See see : {See::past, See::prefix}) {
      SCOPED_TRACE(kind.name + " " + kind_name(see));
      check_incremental(kind, see);
    }
  }
}

TEST(AttentionProperties, MasksThatCannotBeDecodedAreRefused) {
  for (const AttentionVariant& kind : attention_variants()) {
    if (!kind.traits().incremental) continue;
    const auto attention = build(kind);
    const auto memory = attention->new_memory(1, 8);
    const Tensor x = random_rows(2, kWidth, 1);
    const auto step = [&](const AttentionContext& context) {
      return attention->forward({.context = context,
                                 .query_TD = x,
                                 .source_SD = x,
                                 .carry = nullptr,
                                 .memory = memory.get()});
    };
    for (const See see : {See::all, See::future, See::others}) {
      AttentionContext context = context_of(make_batch({2}, {see}));
      context.past = {0};
      EXPECT_THROW(step(context), Error);
    }
    AttentionContext context = context_of(make_batch({2}, {See::prefix}));
    context.mask.source = {3};
    context.past = {0};
    EXPECT_THROW(step(context), Error);
  }
}

TEST(AttentionFlops, CountWhatAKindComputes) {
  attention_variants();  // registers the kinds
  // Eight tokens that see each other, one head of 4 numbers, width 4.
  const AttentionShape shape{.width = 4, .heads = 1, .head_size = 4, .longest = 8};
  const auto flops = [&](const std::string& kind, See see = See::all, double pairs = 64) {
    return attention_flops({.kind = kind, .options = {}}, shape,
                           {.tokens = 8, .pairs = pairs, .see = see});
  };
  // Three projections of 2 * 4 * 4 a token, scores and weighted sum of 2 * 4 a pair.
  EXPECT_EQ(flops("softmax"), 8 * 96 + 64 * 16);
  EXPECT_EQ(flops("softmax", See::past, 36), 8 * 96 + 36 * 16);
  // Sums of 4 features by 4 values, made and read; within a chunk of 32 half of it one by one.
  EXPECT_EQ(flops("linear"), 8 * (96 + 64));
  EXPECT_EQ(flops("linear", See::past), 8 * (96 + 64 + 2 * 16.5 * (4 + 4)));
  // 256 features of 128 directions, for queries and keys.
  EXPECT_EQ(flops("performer"), 8 * (96 + 4 * 256 * 4 + 4 * 4 * 128));
  // One projection and the weighted sum.
  EXPECT_EQ(flops("synthesizer"), 8 * 32 + 64 * 8);
  // Two projections and 15 taps of 4 channels; then the kernels, 15 numbers of 4.
  EXPECT_EQ(flops("lightweight_conv"), 8 * (64 + 120));
  EXPECT_EQ(flops("dynamic_conv"), 8 * (64 + 120 + 120));
}

}  // namespace
}  // namespace tenfold::nn::testing

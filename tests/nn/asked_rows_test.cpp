// Some rows of a pass alone: the same numbers as the whole pass gives for them, whatever the kind
// of attention, the mask, the dropout or the number format.
#include "nn/asked_rows.h"

#include <gtest/gtest.h>

#include <vector>

#include "nn/attention_fixture.h"
#include "nn/packing.h"
#include "nn/softmax_attention.h"
#include "nn/stack.h"
#include "support/fail.h"

namespace tenfold::nn {
namespace {

const std::vector<int64_t> kAskedLengths{5, 1, 40, 17};
/// Every place of a sequence, a sequence that is not asked for, and a row twice.
const std::vector<int64_t> kAskedRows{0, 4, 6, 7, 20, 20, 46};

StackSpec asked_spec(double dropout) {
  return {.width = 64,
          .heads = 2,
          .intermediate_size = 128,
          .hidden_dropout = dropout,
          .attention_dropout = dropout,
          .initializer_range = 0.1,
          .runs = {{.count = 2, .attention = {}}}};
}

StackIn asked_input(const Tensor& hidden_TD, double dropout) {
  return {.hidden_TD = hidden_TD,
          .layout = SequenceLayout::of_lengths(kAskedLengths),
          .mask = {},
          .pass = {.training = dropout > 0, .key = 5, .example_keys = {11, 12, 13, 14}},
          .source_SD = {},
          .bias = nullptr};
}

Tensor random_rows(torch::TensorOptions options) {
  const torch::NoGradGuard no_grad;
  return torch::randn({63, 64}, options);
}

Tensor asked() { return torch::tensor(kAskedRows); }

/// Values and every gradient of the rows alone against those of the whole pass.
void expect_rows_alone_same(Stack& stack, const StackIn& given) {
  StackIn in = given;
  const auto run = [&](bool alone) {
    in.hidden_TD = given.hidden_TD.detach().clone().requires_grad_();
    in.rows_P = alone ? asked() : Tensor();
    const Tensor out = stack.forward(in).hidden_TD;
    const Tensor y_PD = alone ? out : out.index_select(0, asked());
    std::vector<Tensor> results{y_PD}, leaves = stack.parameters();
    leaves.push_back(in.hidden_TD);
    const Tensor slope = torch::arange(y_PD.numel(), y_PD.options()).view_as(y_PD).sin();
    for (const Tensor& g : torch::autograd::grad({(y_PD * slope).sum()}, leaves, {}, {}, {}, true))
      results.push_back(g);
    return results;
  };
  const std::vector<Tensor> want = run(false), got = run(true);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].defined(), want[i].defined()) << i;
    if (want[i].defined()) {
      EXPECT_TRUE(got[i].allclose(want[i], 1e-9, 1e-11))
          << i << " " << (got[i] - want[i]).abs().max();
    }
  }
}

TEST(AskedRows, ValuesAndGradientsAreThoseOfTheWholePass) {
  for (const double dropout : {0.0, 0.3}) {
    for (const bool recompute : {false, true}) {
      Stack stack(asked_spec(dropout), 3, torch::kDouble);
      stack.recompute_in_backward(recompute);
      StackIn in = asked_input(random_rows(torch::kDouble), dropout);
      expect_rows_alone_same(stack, in);
      in.mask.keep_S = torch::ones({63}, torch::kBool);
      in.mask.keep_S.index_fill_(0, torch::tensor(std::vector<int64_t>{1, 8, 9, 62}), false);
      expect_rows_alone_same(stack, in);
    }
  }
}

TEST(AskedRows, TakeTheirOwnOfScoresCarriedToThem) {
  for (const bool mean : {false, true}) {
    for (const bool recompute : {false, true}) {
      StackSpec spec = asked_spec(mean ? 0.3 : 0.0);
      spec.runs[0].count = 3;
      spec.runs[0].residual_attention = true;
      spec.runs[0].residual_mean = mean;
      Stack stack(spec, 3, torch::kDouble);
      stack.recompute_in_backward(recompute);
      StackIn in = asked_input(random_rows(torch::kDouble), mean ? 0.3 : 0.0);
      expect_rows_alone_same(stack, in);
      in.mask.keep_S = torch::ones({63}, torch::kBool);
      in.mask.keep_S.index_fill_(0, torch::tensor(std::vector<int64_t>{1, 8, 9, 62}), false);
      expect_rows_alone_same(stack, in);
    }
  }
}

// Queries and keys carried in place of scores, as inference over long sequences does.
TEST(AskedRows, TakeTheirOwnOfQueriesCarriedToThem) {
  const torch::NoGradGuard no_grad;
  SoftmaxAttention attention({.width = 64,
                              .heads = 2,
                              .head_size = 32,
                              .residual_scores = true,
                              .carry_run = {.place = 2, .layers = 2},
                              .initializer_range = 0.1},
                             {}, 3, torch::kDouble);
  const AttentionContext whole =
      testing::context_of(testing::make_batch(kAskedLengths, {See::all}));
  const Tensor hidden_TD = random_rows(torch::kDouble);
  const auto below = std::make_shared<Carry>();
  for (int i = 0; i < 2; ++i)
    below->tensors.push_back(random_rows(torch::kDouble).view({63, 2, 32}));
  const Tensor all_TD =
      attention
          .forward(
              {.context = whole, .query_TD = hidden_TD, .source_SD = hidden_TD, .carry = below})
          .context_TD;
  const auto alone = asked_rows(whole, asked(), hidden_TD);
  ASSERT_TRUE(alone);
  const Tensor some_PD = attention
                             .forward({.context = alone->context,
                                       .query_TD = hidden_TD.index_select(0, alone->rows_P),
                                       .source_SD = hidden_TD,
                                       .asking_P = alone->rows_P,
                                       .carry = below})
                             .context_TD;
  EXPECT_TRUE(some_PD.allclose(all_TD.index_select(0, alone->rows_P), 1e-12, 1e-14));
}

TEST(AskedRows, WherePlacesMatterTheWholePassIsMade) {
  Stack stack(asked_spec(0), 3, torch::kDouble);
  StackIn in = asked_input(random_rows(torch::kDouble), 0);
  for (const See kind : {See::past, See::future, See::others}) {
    in.mask.see = {kind};
    expect_rows_alone_same(stack, in);
  }
  in.mask.see = {See::all, See::past, See::all, See::all};
  expect_rows_alone_same(stack, in);
}

TEST(AskedRows, PackedStacksGiveTheSameInBothFormats) {
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    Stack stack(asked_spec(0), 3, torch::kFloat);
    pack_for_inference(stack, type);
    stack.compute_in(type);
    const torch::NoGradGuard no_grad;
    StackIn in = asked_input(random_rows(torch::kFloat), 0);
    const Tensor want = stack.forward(in).hidden_TD.index_select(0, asked()).to(at::kFloat);
    in.rows_P = asked();
    const Tensor got = stack.forward(in).hidden_TD.to(at::kFloat);
    const double tolerance = type == at::kFloat ? 1e-5 : 5e-2;
    EXPECT_TRUE(got.allclose(want, tolerance, tolerance)) << (got - want).abs().max();
  }
}

TEST(AskedRows, ArePlannedBySequenceAndOnlyWhereItPays) {
  AttentionContext whole{.query_layout = SequenceLayout::of_lengths(kAskedLengths),
                         .source_layout = SequenceLayout::of_lengths(kAskedLengths),
                         .mask = {},
                         .bias = nullptr,
                         .past = {},
                         .pass = {},
                         .row_keys_T = torch::arange(63)};
  const Tensor x = random_rows(torch::kDouble);
  const auto plan = asked_rows(whole, asked(), x);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->context.query_layout.lengths(), (std::vector<int64_t>{2, 0, 4, 1}));
  EXPECT_EQ(plan->context.source_layout.lengths(), kAskedLengths);
  EXPECT_TRUE(plan->context.row_keys_T.equal(asked()));
  EXPECT_FALSE(asked_rows(whole, torch::arange(60), x).has_value());
  whole.mask.see = {See::others};
  EXPECT_FALSE(asked_rows(whole, asked(), x).has_value());
}

TEST(AskedRows, NoneAllAndRowsOutOfOrder) {
  const Stack stack(asked_spec(0), 3, torch::kDouble);
  const torch::NoGradGuard no_grad;
  StackIn in = asked_input(random_rows(torch::kDouble), 0);
  const Tensor whole = stack.forward(in).hidden_TD;
  in.rows_P = torch::empty({0}, torch::kInt64);
  EXPECT_EQ(stack.forward(in).hidden_TD.size(0), 0);
  in.rows_P = torch::arange(63);
  EXPECT_TRUE(stack.forward(in).hidden_TD.equal(whole));
  in.rows_P = torch::tensor(std::vector<int64_t>{3, 2});
  EXPECT_THROW(stack.forward(in), Error);
}

}  // namespace
}  // namespace tenfold::nn

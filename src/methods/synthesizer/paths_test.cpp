// Every way a Synthesizer computes gives one result: with and without gradient, in fewer digits,
// step by step, on another device. Not here: the result itself (synthesizer_test.cpp).
#include "cuda.h"
#include "methods/synthesizer/synthesizer_fixture.h"

namespace tenfold::synthesizer::testing {
namespace {

/// Inference of long sequences in fp32, through blocks and kept tables, against scores in double.
void expect_inference_near_definition(const std::vector<std::string>& forms) {
  const SynthesizerOptions options{.forms = forms, .max_length = 100, .deviation = 3.0};
  const auto attention = made(options, at::kFloat), exact = made(options);
  give_shared(*exact, *attention);
  const std::vector<int64_t> lengths{100, 70, 70, 3, 70, 100};
  for (const See see : nn::testing::kAllKinds) {
    SCOPED_TRACE(name_of(options) + nn::testing::kind_name(see));
    Batch batch = make_batch(lengths, {see});
    const Tensor x = random_rows(batch.layout.total(), kWidth, 1, at::kFloat);
    for (const bool holes : {false, true}) {
      if (holes) {
        batch.mask.keep_S = torch::ones({batch.layout.total()}, torch::kBool);
        batch.mask.keep_S.narrow(0, 1, 99).fill_(false);  // all but one
        batch.mask.keep_S.narrow(0, 170, 70).fill_(false);
        batch.mask.keep_S[248] = false;
      }
      const Tensor expected = run(*exact, context_of(batch), x.to(at::kDouble));
      const double largest = expected.abs().max().item<double>();
      const torch::NoGradGuard no_grad;
      EXPECT_LE(worst(run(*attention, context_of(batch), x).to(at::kDouble), expected),
                1e-6 * largest);
    }
  }
}

TEST(SynthesizerPaths, InferenceEqualsTheSoftmaxOfEverySequence) {
  for (const std::vector<std::string>& forms :
       {std::vector<std::string>{"random"},
        {"factorized_random"},
        {"dense"},
        {"random", "dense"},
        {"dot_product", "fixed_random", "factorized_random"}})
    expect_inference_near_definition(forms);
}

TEST(SynthesizerPaths, LongInferenceTakesSomeQueriesAtATime) {
  for (const std::vector<std::string>& forms : {std::vector<std::string>{"factorized_dense"},
                                                {"dense", "factorized_random", "dot_product"}}) {
    const auto attention = made({.forms = forms, .max_length = 1300, .deviation = 3.0});
    for (const See see : {See::past, See::others}) {
      Batch batch = make_batch({5, 1200, 0, 40, 1300}, {see});
      const int64_t rows = batch.layout.total();
      if (see == See::others) {
        batch.mask.keep_S = torch::ones({rows}, torch::kBool);
        batch.mask.keep_S.narrow(0, 300, 500).fill_(false);
      }
      const Tensor x = random_rows(rows, kWidth, 1, at::kDouble);
      const Tensor whole = run(*attention, context_of(batch), x).detach();
      const torch::NoGradGuard no_grad;
      EXPECT_LE(worst(run(*attention, context_of(batch), x), whole),
                1e-12 * whole.abs().max().item<double>());
    }
  }
}

TEST(SynthesizerPaths, HiddenStatesInBfloat16AreWidened) {
  const Batch batch = make_batch({9, 16}, {See::all, See::past});
  const Tensor x = random_rows(25, kWidth, 1, at::kBFloat16);
  for (const SynthesizerOptions& options : all_options()) {
    const auto attention = made(options, at::kFloat);
    const Tensor expected = run(*attention, context_of(batch), x.to(at::kFloat));
    for (const bool grad : {true, false}) {
      const torch::AutoGradMode mode(grad);
      const Tensor out = run(*attention, context_of(batch), x);
      EXPECT_EQ(out.scalar_type(), at::kBFloat16);
      EXPECT_LE(worst(out.to(at::kFloat), expected), 0.02 * expected.abs().max().item<double>())
          << name_of(options);
    }
  }
}

TEST(SynthesizerPaths, ScoresFarBelowTheirRowsLargestKeepTheirDigits) {
  const auto attention = made({.forms = {"random"}, .deviation = 1.0}, at::kFloat);
  {
    const torch::NoGradGuard no_grad;
    attention->named_parameters()["random"].select(2, 15).fill_(300);  // hidden below
  }
  Batch batch = make_batch({16, 9}, {See::all});
  batch.mask.keep_S = torch::ones({25}, torch::kBool);
  batch.mask.keep_S[15] = false;
  const Tensor x = random_rows(25, kWidth, 1, at::kFloat);
  const Tensor expected = run(*attention, context_of(batch), x);
  const torch::NoGradGuard no_grad;
  EXPECT_LE(worst(run(*attention, context_of(batch), x), expected), 1e-6);
}

TEST(SynthesizerPaths, AChangedWeightIsSeenByTheNextPass) {
  const torch::NoGradGuard no_grad;
  const auto attention = made({.forms = {"random"}, .deviation = 1.0});
  const Batch batch = make_batch({9}, {See::all});
  const Tensor x = random_rows(9, kWidth, 1);
  const Tensor before = run(*attention, context_of(batch), x);
  give(*attention, "random", torch::zeros({kHeads, kLongest, kLongest}));
  const Tensor after = run(*attention, context_of(batch), x);
  EXPECT_GT(worst(before, after), 1e-2);
  EXPECT_LE(worst(after[0], after[8]), 1e-14) << "equal scores give every row the mean";
}

TEST(SynthesizerPaths, CausalRowsAreBlindToTheFutureBitByBit) {
  for (const SynthesizerOptions& options : all_options()) {
    const auto attention = made(options, at::kFloat);
    const Batch batch = make_batch({13, 16}, {See::past});
    const Tensor x = random_rows(29, kWidth, 1, at::kFloat);
    Tensor other = x.clone();
    other.narrow(0, 6, 7).add_(1);
    for (const bool grad : {true, false}) {
      const torch::AutoGradMode mode(grad);
      const Tensor one = run(*attention, context_of(batch), x),
                   two = run(*attention, context_of(batch), other);
      EXPECT_TRUE(torch::equal(one.narrow(0, 0, 6), two.narrow(0, 0, 6))) << name_of(options);
      EXPECT_TRUE(torch::equal(one.narrow(0, 13, 16), two.narrow(0, 13, 16))) << name_of(options);
    }
  }
}

/// Queries of another text, step by step over a source that came once, against one pass.
TEST(SynthesizerPaths, CrossAttentionStepsEqualOnePass) {
  const torch::NoGradGuard no_grad;
  const std::vector<int64_t> sources{7, 16, 1}, queries{4, 4, 4};
  nn::AttentionContext context = context_of(make_batch(queries, {See::all}));
  context.source_layout = SequenceLayout::of_lengths(sources);
  context.mask = {.see = {See::all}, .source = {}, .keep_S = torch::ones({24}, torch::kBool)};
  context.mask.keep_S[2] = false;
  const Tensor query = random_rows(12, kWidth, 1), source = random_rows(24, kWidth, 2);
  for (const SynthesizerOptions& options : all_options()) {
    const auto attention = made(options);
    const Tensor full = attention
                            ->forward({.context = context,
                                       .query_TD = query,
                                       .source_SD = source,
                                       .side = nn::Side::cross,
                                       .carry = nullptr})
                            .context_TD;
    const auto memory = attention->new_memory(3, kLongest);
    for (int64_t step = 0; step < 4; ++step) {
      nn::AttentionContext one = context;
      one.query_layout = SequenceLayout::of_lengths({1, 1, 1});
      one.past = {step, step, step};
      const Tensor rows = torch::tensor({step, 4 + step, 8 + step});
      const Tensor out =
          attention
              ->forward({.context = one,
                         .query_TD = query.index_select(0, rows),
                         .source_SD = step == 0 ? source : Tensor(),
                         .side = nn::Side::cross,
                         .keys = step == 0 ? nn::KeysFrom::given : nn::KeysFrom::memory,
                         .carry = nullptr,
                         .memory = memory.get()})
              .context_TD;
      EXPECT_LE(worst(out, full.index_select(0, rows)), 1e-12) << name_of(options) << step;
    }
  }
}

/// Contexts of a mixed batch with holes, their gradients, and contexts without gradient.
std::vector<Tensor> results_on(torch::Device device, const SynthesizerOptions& options) {
  const auto attention = made(options);
  move_mixture(*attention);
  attention->to(device);
  Batch batch = make_batch({9, 16, 0, 3, 7}, nn::testing::kAllKinds);
  batch.mask.keep_S = torch::ones({35}, torch::kBool);
  batch.mask.keep_S[4] = batch.mask.keep_S[12] = false;
  const Tensor x = random_rows(35, kWidth, 1).to(device).requires_grad_();
  const Tensor out = run(*attention, context_of(batch), x);
  std::vector<Tensor> inputs = attention->parameters(), results{out.detach()};
  inputs.push_back(x);
  for (const Tensor& gradient : torch::autograd::grad({out.pow(2).sum()}, inputs))
    results.push_back(gradient);
  const torch::NoGradGuard no_grad;
  results.push_back(run(*attention, context_of(batch), x));
  for (Tensor& result : results) result = result.cpu();
  return results;
}

TEST(SynthesizerPaths, OnCudaEqualsTheCpu) {
  TENFOLD_NEEDS_CUDA();
  for (const SynthesizerOptions& options : all_options()) {
    const auto cpu = results_on(torch::kCPU, options), cuda = results_on(torch::kCUDA, options);
    for (size_t i = 0; i < cpu.size(); ++i)
      EXPECT_LE(worst(cpu[i], cuda[i]), 1e-11) << name_of(options) << "tensor " << i;
  }
}

}  // namespace
}  // namespace tenfold::synthesizer::testing

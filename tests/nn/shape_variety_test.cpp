// Memory and time of inference over batches of ever new sizes: a server sees every length there is.
// Not here: values (other tests).
#include <fstream>
#include <string>

#include "attention_fixture.h"
#include "nn/filler.h"
#include "nn/onednn.h"
#include "nn/packing.h"
#include "nn/stack.h"
#include "nn/vocabulary_loss.h"
#include "small_stack.h"
#include "tensor/device.h"

namespace tenfold::nn::testing {
namespace {

double resident_mib() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

TEST(ShapeVariety, MemoryIsBoundedWhateverLengthsCome) {
  const auto stack = small_stack({.layers = 1});
  const torch::NoGradGuard no_grad;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    if (!onednn_computes_in(type)) continue;
    compute_in(*stack, type);
    pack_for_inference(*stack, type);
    const auto run = [&](int64_t rows) {
      stack->forward({.hidden_TD = torch::zeros({rows, 64}),
                      .layout = SequenceLayout::of_lengths({rows}),
                      .mask = {.see = {See::all}, .source = {}, .keep_S = {}},
                      .pass = PassContext::evaluation(),
                      .source_SD = {},
                      .bias = nullptr});
    };
    const auto sweep = [&] {
      const double before = resident_mib();
      for (int64_t rows = 1; rows < 400; ++rows) run(rows);
      return resident_mib() - before;
    };
    run(400);  // the largest comes first: buffers grow to it once
    // Without rounding the first sweep of fp32 takes 0.4 MiB a length, without end.
    const double first = sweep(), second = sweep();
    printf("%s: %.1f MiB for 400 lengths, %.1f MiB for the same again\n", dtype_name(type).c_str(),
           first, second);
    EXPECT_LT(first, 256) << dtype_name(type);
    EXPECT_LT(second, 96) << dtype_name(type);
  }
}

TEST(ShapeVariety, RowsAreRoundedByAFewInAHundred) {
  for (int64_t rows = 1; rows < 20'000; ++rows) {
    const int64_t rounded = rounded_rows(rows), more = rounded - rows;
    const int64_t most = rows <= 32 ? 0 : rows <= 128 ? 7 : std::max<int64_t>(15, rows / 64);
    EXPECT_TRUE(more >= 0 && more <= most) << rows << " " << rounded;
    EXPECT_EQ(rounded_rows(rounded), rounded);
  }
}

TEST(ShapeVariety, FillerIsNoLongerThanSequencesMayBe) {
  const auto longest = [](int64_t most) {
    return with_filler_sequences(SequenceLayout::of_lengths({5}), {}, {}, 40, most)
        .layout.longest();
  };
  EXPECT_EQ(longest(6), 6);
  EXPECT_EQ(longest(100), 16);
  EXPECT_EQ(longest(0), 16);
}

/// Output and gradients of a stack that mixes kinds, with holes and dropout, for 50 rows that need
/// filler, or with `more` rows of the last sequence that nobody sees.
std::vector<Tensor> pass_of(Stack& stack, int64_t more) {
  stack.zero_grad();
  const int64_t rows = 50 + more;
  Tensor x = torch::zeros({rows, 64});
  x.narrow(0, 0, 50).copy_(random_rows(50, 64, 1, at::kFloat));
  x.requires_grad_();
  Tensor keep = torch::ones({rows}, torch::kBool);
  keep[3] = keep[40] = false;
  keep.narrow(0, 50, more).fill_(false);
  const Tensor out = stack
                         .forward({.hidden_TD = x,
                                   .layout = SequenceLayout::of_lengths({31, 7, 12 + more}),
                                   .mask = {.see = {See::past, See::all, See::prefix},
                                            .source = {0, 0, 4},
                                            .keep_S = keep},
                                   .pass = {.training = true, .key = 4, .example_keys = {1, 2, 3}},
                                   .source_SD = {},
                                   .bias = nullptr})
                         .hidden_TD;
  EXPECT_EQ(out.size(0), rows);
  out.narrow(0, 0, 50).pow(3).sum().backward();
  std::vector<Tensor> result{out.detach().narrow(0, 0, 50), x.grad().narrow(0, 0, 50)};
  for (const Tensor& parameter : stack.parameters()) result.push_back(parameter.grad().clone());
  return result;
}

TEST(ShapeVariety, FillerChangesNothing) {
  const auto stack = small_stack({.layers = 2, .dropout = 0.2});
  EXPECT_EQ(rounded_rows(50), 56);
  EXPECT_EQ(rounded_rows(56), 56);
  const auto filled = pass_of(*stack, 0), exact = pass_of(*stack, 6);
  for (size_t i = 0; i < filled.size(); ++i) {
    const double size = exact[i].abs().max().item<double>();
    EXPECT_LE((filled[i] - exact[i]).abs().max().item<double>(), 1e-5 * size + 1e-4) << i;
  }
}

TEST(ShapeVariety, FillerRowsOfTheVocabularyLossCountForNothing) {
  const Tensor w = random_rows(50, 16, 2, at::kFloat), b = random_rows(1, 50, 3, at::kFloat)[0];
  const Tensor labels = torch::arange(0, 37, torch::kInt64);
  const auto run = [&](const Tensor& rows) {
    const std::vector<Tensor> leaves{rows.clone().requires_grad_(), w.clone().requires_grad_(),
                                     b.clone().requires_grad_()};
    const VocabularyLoss loss = vocabulary_loss(leaves[0], leaves[1], leaves[2], labels);
    loss.sum.backward();
    return std::vector<Tensor>{loss.sum.detach(), loss.correct, leaves[0].grad().narrow(0, 0, 37),
                               leaves[1].grad(), leaves[2].grad()};
  };
  const Tensor h = random_rows(37, 16, 1, at::kFloat);
  const auto exact = run(h), filled = run(at::cat({h, random_rows(3, 16, 9, at::kFloat)}));
  for (size_t i = 0; i < exact.size(); ++i)
    EXPECT_LE((filled[i] - exact[i]).abs().max().item<double>(), 1e-5) << i;
}

}  // namespace
}  // namespace tenfold::nn::testing

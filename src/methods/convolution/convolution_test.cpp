// The convolutions against their definition in plain loops and against each other's paths, at edges
// and under every mask; dropout, memory, learning. Not here: what every kind must do
// (tests/methods/attention_properties_test.cpp).
#include "methods/convolution/convolution.h"

#include <algorithm>
#include <cmath>

#include "cuda.h"
#include "methods/convolution/gated_convolution.h"
#include "methods/convolution/row_memory.h"
#include "nn/attention_fixture.h"
#include "support/fail.h"
#include "train/adamw.h"
#include "train/parameters.h"

namespace tenfold::convolution {
namespace {

using nn::testing::Batch;
using nn::testing::context_of;
using nn::testing::kAllKinds;
using nn::testing::kHeads;
using nn::testing::kHeadSize;
using nn::testing::kind_name;
using nn::testing::kWidth;
using nn::testing::make_batch;
using nn::testing::random_rows;
using nn::testing::run;
using nn::testing::worst;

constexpr int64_t kTaps = 5, kChannels = kHeads * kHeadSize;
const std::vector<std::string> kKinds{"lightweight_conv", "dynamic_conv"};

std::shared_ptr<nn::Attention> build(const std::string& kind, double dropout = 0.0,
                                     at::ScalarType type = at::kDouble) {
  nn::AttentionTable table;
  register_into(table);
  return nn::testing::build(table.find(kind),
                            config::OptionsOf<ConvolutionOptions>({.kernel_size = kTaps}), dropout,
                            type);
}

/// Parameters by name, as plain numbers.
struct Numbers {
  std::vector<double> values;
  int64_t columns = 1;
  explicit Numbers(const Tensor& x) : columns(x.size(-1)) {
    const Tensor flat = x.detach().to(torch::kDouble).flatten().contiguous();
    values.assign(flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel());
  }
  double operator()(int64_t row, int64_t column) const {
    return values[static_cast<size_t>(row * columns + column)];
  }
};

/// One sequence by the definition: rows through gate and kernel, one number at a time.
class Definition {
 public:
  Definition(const nn::Attention& attention, const Tensor& query_ND, const Tensor& source_ND)
      : query_(gated(attention, query_ND)), source_(gated(attention, source_ND)) {
    for (const auto& item : attention.named_parameters()) {
      if (item.key() == "kernel") kernel_ = std::make_unique<Numbers>(item.value());
      if (item.key() == "kernel.weight") maker_ = std::make_unique<Numbers>(item.value());
    }
  }

  /// What query i of n gives in channel c; `keep` says which rows are no holes.
  double operator()(See see, int64_t i, int64_t n, int64_t source, int64_t c,
                    const std::vector<bool>& keep) const {
    double weights = 0, sum = 0;
    for (int64_t j = 0; j < kTaps; ++j) {
      const int64_t place = see == See::past     ? i - (kTaps - 1) + j
                            : see == See::future ? i + (kTaps - 1) - j
                                                 : i - kTaps / 2 + j;
      if (see == See::others && place == i) continue;
      if (see == See::prefix && i >= source && place > i) continue;
      const double weight = std::exp(logit(i, c / kHeadSize, j));
      weights += weight;
      const int64_t end = see == See::prefix && i < source ? source : n;
      if (place >= 0 && place < end && keep[static_cast<size_t>(place)])
        sum += weight * source_(place, c);
    }
    return sum / weights;
  }

 private:
  static Numbers gated(const nn::Attention& attention, const Tensor& x_ND) {
    const auto parameters = attention.named_parameters();
    const Numbers weight(parameters["input.weight"]), bias(parameters["input.bias"].unsqueeze(0)),
        x(x_ND);
    Tensor out = torch::zeros({x_ND.size(0), kChannels}, torch::kDouble);
    for (int64_t t = 0; t < x_ND.size(0); ++t) {
      const auto unit = [&](int64_t row) {
        double sum = bias(0, row);
        for (int64_t d = 0; d < kWidth; ++d) sum += weight(row, d) * x(t, d);
        return sum;
      };
      for (int64_t c = 0; c < kChannels; ++c)
        out[t][c] = unit(c) / (1 + std::exp(-unit(kChannels + c)));
    }
    return Numbers(out);
  }
  double logit(int64_t i, int64_t head, int64_t tap) const {
    if (kernel_) return (*kernel_)(head, tap);
    double sum = 0;
    for (int64_t c = 0; c < kChannels; ++c) sum += (*maker_)(head * kTaps + tap, c) * query_(i, c);
    return sum;
  }

  Numbers query_, source_;
  std::unique_ptr<Numbers> kernel_, maker_;
};

TEST(Convolution, EqualsItsDefinitionUnderEveryMask) {
  for (const std::string& kind : kKinds) {
    const auto attention = build(kind);
    for (const See see : kAllKinds) {
      SCOPED_TRACE(kind + " " + kind_name(see));
      Batch batch = make_batch({7, 1, 3, 12}, {see});
      batch.mask.keep_S = torch::ones({23}, torch::kBool);
      for (const int64_t hole : {2, 9, 15}) batch.mask.keep_S[hole] = false;
      const Tensor query = random_rows(23, kWidth, 1), source = random_rows(23, kWidth, 2);
      const auto context = context_of(batch);
      const Tensor out =
          attention
              ->forward(
                  {.context = context, .query_TD = query, .source_SD = source, .carry = nullptr})
              .context_TD;
      for (int64_t b = 0; b < 4; ++b) {
        const int64_t begin = batch.layout.begin(b), n = batch.layout.length(b);
        const Definition expected(*attention, query.narrow(0, begin, n),
                                  source.narrow(0, begin, n));
        std::vector<bool> keep;
        for (int64_t i = 0; i < n; ++i) keep.push_back(batch.mask.keep_S[begin + i].item<bool>());
        for (int64_t i = 0; i < n; ++i) {
          for (int64_t c = 0; c < kChannels; ++c) {
            EXPECT_NEAR(out[begin + i][c].item<double>(),
                        expected(see, i, n, batch.mask.source[static_cast<size_t>(b)], c, keep),
                        1e-13);
          }
        }
      }
    }
  }
}

struct ConvolutionInputs {
  Tensor x_SHE, weight_WHK;
  ConvolutionPlan plan;
};

/// Sequences of every mask kind, one with rows in memory; weights need no softmax here.
ConvolutionInputs make_inputs(KernelOf kernel_of, at::ScalarType type) {
  ConvolutionInputs in;
  in.plan.kernel_size = kTaps;
  in.plan.kernel_of = kernel_of;
  int64_t query = 0, row = 0;
  for (const See see : kAllKinds) {
    const int64_t past = see == See::past ? 6 : 0, n = 3 + row % 7, held = see == See::past ? 4 : 0;
    in.plan.sequences.push_back({.query_begin = query,
                                 .queries = n,
                                 .past = past,
                                 .row_begin = row,
                                 .rows = held + n,
                                 .row_place = past - held,
                                 .kind = see,
                                 .source = see == See::prefix ? 2 : 0});
    query += n;
    row += held + n;
  }
  in.plan.queries = query;
  in.plan.keep_S = torch::ones({row}, torch::kBool);
  in.plan.keep_S[1] = in.plan.keep_S[row / 2] = false;
  in.x_SHE = random_rows(row, 166, 3, type).view({row, 2, 83}).requires_grad_();
  const int64_t kernels = kernel_of == KernelOf::query ? query : kTapSets;
  in.weight_WHK =
      random_rows(kernels, 2 * kTaps, 4, type).view({kernels, 2, kTaps}).requires_grad_();
  return in;
}

std::vector<Tensor> values_and_gradients(const ConvolutionInputs& in,
                                         decltype(&convolve) convolution) {
  const Tensor y_THE = convolution(in.x_SHE, in.weight_WHK, in.plan);
  const Tensor weight = random_rows(1, y_THE.numel(), 5, in.x_SHE.scalar_type())[0];
  auto out = torch::autograd::grad({(y_THE.flatten() * weight.to(y_THE.device())).sum()},
                                   {in.x_SHE, in.weight_WHK});
  out.push_back(y_THE.detach());
  return out;
}

TEST(Convolution, LoopsEqualOperators) {
  for (const KernelOf kernel_of : {KernelOf::query, KernelOf::tap_set}) {
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      const ConvolutionInputs in = make_inputs(kernel_of, type);
      const auto loops = values_and_gradients(in, convolve),
                 operators = values_and_gradients(in, convolve_by_operators);
      for (size_t i = 0; i < loops.size(); ++i)
        EXPECT_LE(worst(loops[i], operators[i]), type == at::kDouble ? 1e-12 : 1e-5);
      const torch::NoGradGuard no_grad;
      EXPECT_LE(worst(convolve(in.x_SHE, in.weight_WHK, in.plan), loops[2]), 0.0);
    }
  }
}

TEST(Convolution, OnCudaEqualsTheLoops) {
  TENFOLD_NEEDS_CUDA();
  for (const KernelOf kernel_of : {KernelOf::query, KernelOf::tap_set}) {
    const ConvolutionInputs in = make_inputs(kernel_of, at::kFloat);
    ConvolutionInputs there = in;
    there.x_SHE = in.x_SHE.detach().cuda().requires_grad_();
    there.weight_WHK = in.weight_WHK.detach().cuda().requires_grad_();
    const auto expected = values_and_gradients(in, convolve),
               got = values_and_gradients(there, convolve);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_LE(worst(got[i].cpu(), expected[i]), 1e-5);
  }
}

TEST(Convolution, EdgesReadZerosAndKeepTheirWeight) {
  const torch::NoGradGuard no_grad;
  const auto attention = build("lightweight_conv");
  attention->named_parameters()["kernel"].zero_();  // each of the five taps weighs a fifth
  const Tensor x = random_rows(1, kWidth, 1).expand({7, kWidth}).contiguous();
  const auto at_place = [&](See see) {
    const Tensor out = run(*attention, context_of(make_batch({7}, {see})), x);
    const Tensor inner = run(*attention, context_of(make_batch({7}, {See::all})), x)[3];
    return (out / inner).mean(1);  // how much of an inner row each row is
  };
  const auto fifths = [](std::vector<double> taps) {
    return torch::tensor(taps, torch::kDouble) / 5;
  };
  EXPECT_LE(worst(at_place(See::all), fifths({3, 4, 5, 5, 5, 4, 3})), 1e-12);
  EXPECT_LE(worst(at_place(See::past), fifths({1, 2, 3, 4, 5, 5, 5})), 1e-12);
  EXPECT_LE(worst(at_place(See::future), fifths({5, 5, 5, 4, 3, 2, 1})), 1e-12);
  EXPECT_LE(worst(at_place(See::others), fifths({2, 3, 4, 4, 4, 3, 2}) * 1.25), 1e-12)
      << "the hidden centre has no weight: four taps of a quarter";
}

TEST(Convolution, AHoleIsAsAnEdge) {
  for (const std::string& kind : kKinds) {
    const auto attention = build(kind);
    const Tensor x = random_rows(6, kWidth, 1);
    Batch whole = make_batch({6}, {See::past}), part = make_batch({4}, {See::past});
    whole.mask.keep_S = torch::tensor({false, false, true, true, true, true});
    EXPECT_LE(worst(run(*attention, context_of(whole), x).narrow(0, 2, 4),
                    run(*attention, context_of(part), x.narrow(0, 2, 4).clone())),
              1e-14);
  }
}

TEST(Convolution, FutureMirrorsPast) {
  for (const std::string& kind : kKinds) {
    const auto attention = build(kind);
    const Tensor x = random_rows(9, kWidth, 1);
    const Tensor future = run(*attention, context_of(make_batch({9}, {See::future})), x),
                 past = run(*attention, context_of(make_batch({9}, {See::past})), x.flip(0));
    EXPECT_LE(worst(future, past.flip(0)), 1e-14);
  }
}

TEST(Convolution, ThePrefixsSourceIsASequenceOfItsOwn) {
  for (const std::string& kind : kKinds) {
    const auto attention = build(kind);
    const Tensor x = random_rows(9, kWidth, 1);
    Batch batch = make_batch({9}, {See::prefix});
    batch.mask.source = {5};
    const Tensor out = run(*attention, context_of(batch), x),
                 source = run(*attention, context_of(make_batch({5}, {See::all})),
                              x.narrow(0, 0, 5).clone());
    EXPECT_LE(worst(out.narrow(0, 0, 5), source), 1e-14);
  }
}

TEST(Convolution, DropConnectDropsTapsOfAPassOrOfEachToken) {
  const Tensor x = random_rows(1, kWidth, 1).expand({40, kWidth}).contiguous();
  const auto spread = [&](const std::string& kind) {
    const auto attention = build(kind, 0.4);
    const Tensor out = run(*attention, context_of(make_batch({40}, {See::all}), true), x);
    return out.narrow(0, 10, 20).std(0).max().item<double>();
  };
  EXPECT_LE(spread("lightweight_conv"), 1e-14) << "the kernels of all tokens lose the same taps";
  EXPECT_GE(spread("dynamic_conv"), 1e-3) << "each token's kernels lose their own";
}

TEST(Convolution, ComputesBfloat16Inside) {
  for (const std::string& kind : kKinds) {
    const auto attention = build(kind, 0.0, at::kFloat);
    const Tensor x = random_rows(20, kWidth, 1, at::kFloat);
    const auto context = context_of(make_batch({20}, {See::all}));
    const auto value_and_gradients = [&](at::ScalarType type) {
      const Tensor rows = x.to(type).requires_grad_();
      const Tensor out = run(*attention, context, rows);
      EXPECT_EQ(out.scalar_type(), type);
      std::vector<Tensor> inputs = attention->parameters();
      inputs.push_back(rows);
      std::vector<Tensor> all = torch::autograd::grad({out.to(at::kFloat).pow(2).sum()}, inputs);
      all.push_back(out.detach());
      return all;
    };
    const auto expected = value_and_gradients(at::kFloat), got = value_and_gradients(at::kBFloat16);
    for (size_t i = 0; i < got.size(); ++i) {
      const double largest = std::max(1.0, expected[i].abs().max().item<double>());
      EXPECT_LE(worst(got[i].to(at::kFloat), expected[i]), 2e-2 * largest) << "tensor " << i;
    }
  }
}

TEST(Convolution, RefusesAnotherTextAndEvenKernels) {
  const auto attention = build("dynamic_conv");
  const Tensor x = random_rows(4, kWidth, 1);
  const auto context = context_of(make_batch({4}, {See::all}));
  const nn::AttentionIn in{
      .context = context, .query_TD = x, .source_SD = x, .side = nn::Side::cross, .carry = nullptr};
  EXPECT_THROW(attention->forward(in), Error);
  EXPECT_FALSE(attention->traits().cross);
  EXPECT_THROW(ConvolutionOptions{.kernel_size = 4}.validate("model"), Error);
}

TEST(RowMemory, HoldsWhatAKernelReachesAndAStep) {
  RowMemory memory(2, 30, kTaps);
  const Tensor rows = random_rows(30, 4, 1);
  memory.append(0, 0, rows.narrow(0, 0, 10), {});
  for (int64_t past = 10; past < 30; ++past) {
    memory.append(0, past, rows.narrow(0, past, 1) + 1, {});  // a step that is thrown away
    memory.append(0, past, rows.narrow(0, past, 1), {});
    EXPECT_EQ(memory.rows(0).size(0), kTaps);
    EXPECT_EQ(memory.first_place(0), past - kTaps + 1);
    EXPECT_LE(worst(memory.rows(0), rows.narrow(0, past - kTaps + 1, kTaps)), 0.0);
  }
  EXPECT_THROW(memory.append(0, 30, rows.narrow(0, 0, 1), {}), Error) << "beyond the capacity";
}

TEST(RowMemory, SelectsRepeatsAndForgets) {
  RowMemory memory(2, 30, kTaps);
  const Tensor rows = random_rows(8, 4, 1);
  memory.append(0, 0, rows, {});
  memory.append(1, 0, rows.narrow(0, 0, 3) * 2, torch::tensor({true, false, true}));
  memory.select({1, 0, 1});
  ASSERT_EQ(memory.count(), 3);
  memory.append(0, 3, rows.narrow(0, 3, 1), {});
  EXPECT_EQ(memory.rows(0).size(0), 4);
  EXPECT_EQ(memory.rows(2).size(0), 3) << "copies do not share what comes later";
  EXPECT_FALSE(memory.keep(2)[1].item<bool>());
  memory.truncate({3, 8, 1});
  EXPECT_EQ(memory.rows(0).size(0), 3);
  EXPECT_EQ(memory.rows(2).size(0), 1);
  EXPECT_THROW(memory.append(2, 3, rows, {}), Error) << "places 1 and 2 are gone";
  memory.add(1);
  EXPECT_EQ(memory.count(), 4);
}

/// What is left of the loss after learning to give back the row `back(x)` places before each row.
double loss_after_learning(const std::string& kind, Tensor (*back)(const Tensor& x_TD)) {
  constexpr uint64_t kSteps = 500;
  constexpr int64_t kRows = 64, kFarthest = 2;
  const auto attention = build(kind, 0.0, at::kFloat);
  const auto context = context_of(make_batch({kRows}, {See::past}));
  const auto parameters = train::collect_parameters({{.prefix = "", .module = attention}});
  train::AdamW optimizer(parameters, {.learning_rate = 3e-2, .weight_decay = 0.0});
  const auto loss_of = [&](uint64_t seed) {
    const Tensor x = random_rows(kRows, kWidth, seed, at::kFloat);
    const Tensor wanted = x.index_select(0, (torch::arange(kRows) - back(x)).clamp_min(0)) / 2;
    return (run(*attention, context, x) - wanted).slice(0, kFarthest).pow(2).mean();
  };
  const double before = loss_of(1).item<double>();
  for (uint64_t step = 0; step < kSteps; ++step) {
    loss_of(2 + step).backward();
    optimizer.step(1.0 - static_cast<double>(step) / kSteps);  // down to zero
    train::clear_gradients(parameters);
  }
  return loss_of(1).item<double>() / before;
}

TEST(Convolution, ALightweightKernelLearnsToLookOneTokenBack) {
  const auto one = [](const Tensor& x_TD) { return torch::ones({x_TD.size(0)}, torch::kInt64); };
  EXPECT_LE(loss_after_learning("lightweight_conv", one), 0.05);
}

TEST(Convolution, ADynamicKernelLearnsToLookWhereTheTokenSays) {
  const auto by_sign = [](const Tensor& x_TD) {
    return torch::where(x_TD.select(1, 0) > 0, 1, 2).to(torch::kInt64);
  };
  EXPECT_LE(loss_after_learning("dynamic_conv", by_sign), 0.15);
  EXPECT_GE(loss_after_learning("lightweight_conv", by_sign), 0.3) << "one kernel cannot";
}

}  // namespace
}  // namespace tenfold::convolution

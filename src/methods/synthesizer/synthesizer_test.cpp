// Synthesizer against its definition in plain loops, and the laws between its forms.
// Not here: its ways of computing (paths_test.cpp), what every attention kind must do
// (tests/methods), reference results (goldens_test.cpp), models (model_test.cpp).
#include "methods/synthesizer/synthesizer.h"

#include "methods/synthesizer/synthesizer_fixture.h"
#include "support/fail.h"

namespace tenfold::synthesizer::testing {
namespace {

/// Everything the module holds, in double.
struct Weights {
  explicit Weights(const Attention& attention) {
    for (const auto& item : attention.named_parameters())
      tensors[item.key()] = item.value().detach().to(at::kDouble);
    for (const auto& item : attention.named_buffers())
      tensors[item.key()] = item.value().to(at::kDouble);
  }
  double at(const std::string& name, std::initializer_list<int64_t> place) const {
    Tensor x = tensors.at(name);
    int64_t index = 0, axis = 0;
    for (const int64_t i : place) index += i * x.stride(axis++);
    return x.const_data_ptr<double>()[index];
  }
  /// Row `o` of a linear layer's result for one row of x.
  double linear(const std::string& name, int64_t o, const double* x) const {
    double y = at(name + ".bias", {o});
    for (int64_t d = 0; d < kWidth; ++d) y += at(name + ".weight", {o, d}) * x[d];
    return y;
  }
  std::map<std::string, Tensor> tensors;
};

/// One form's score of the query at place i (row x of the hidden states) and the key at place j
/// (row y), as the paper defines it.
double score_of(const std::string& form, const SynthesizerOptions& options, int64_t length,
                const Weights& w, int64_t h, int64_t i, int64_t j, const double* x,
                const double* y) {
  if (form == "random" || form == "fixed_random") return w.at(form, {h, i, j});
  double sum = 0;
  if (form == "factorized_random") {
    for (int64_t k = 0; k < options.rank; ++k)
      sum += w.at("random_left", {h, i, k}) * w.at("random_right", {h, j, k});
    return sum;
  }
  if (form == "factorized_dense") {
    const auto [a, b] = factors_of(options, length);
    const int64_t p = j % a, q = options.index == IndexMap::tile_repeat ? j / a : j % b;
    return w.linear("factor_a", h * a + p, x) * w.linear("factor_b", h * b + q, x);
  }
  for (int64_t e = 0; e < kHeadSize; ++e) {
    const int64_t o = h * kHeadSize + e;
    sum +=
        form == "dense"
            ? w.at("dense_scores.weight", {h, j, e}) * std::max(0.0, w.linear("dense_hidden", o, x))
            : w.linear("query", o, x) * w.linear("key", o, y) / std::sqrt(double{kHeadSize});
  }
  return form == "dense" ? sum + w.at("dense_scores.bias", {h, j}) : sum;
}

/// The forms' weights in the mixture of head h.
std::vector<double> mixture_of(const SynthesizerOptions& options, const Weights& w, int64_t h) {
  std::vector<double> weights(options.forms.size(), 1.0);
  if (weights.size() == 1 || options.mixture == Mixture::sum) return weights;
  double sum = 0;
  for (size_t f = 0; f < weights.size(); ++f) {
    const int64_t at = options.mixture_weights == MixtureWeights::head ? h : 0;
    sum += weights[f] = std::exp(w.at("mixture." + options.forms[f], {at}));
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Contexts of a batch by the definition: materialised scores, softmax over what is seen, values.
Tensor by_definition(const SynthesizerAttention& attention, const SynthesizerOptions& options,
                     const Batch& batch, const Tensor& x_TD) {
  const Weights w(attention);
  const Tensor wide = x_TD.detach().to(at::kDouble).contiguous();
  Tensor out = torch::zeros({x_TD.size(0), kHeads * kHeadSize}, at::kDouble);
  for (int64_t b = 0; b < batch.layout.count(); ++b) {
    const int64_t n = batch.layout.length(b), begin = batch.layout.begin(b);
    const Tensor seen = batch.mask.visible(b, 0, n, n, begin);
    const double* x = wide.const_data_ptr<double>() + begin * kWidth;
    for (int64_t h = 0; h < kHeads; ++h) {
      const auto mixture = mixture_of(options, w, h);
      for (int64_t i = 0; i < n; ++i) {
        std::vector<double> weight(static_cast<size_t>(n), 0.0);
        double sum = 0;
        for (int64_t j = 0; j < n; ++j) {
          if (!seen[i][j].item<bool>()) continue;
          double score = 0;
          for (size_t f = 0; f < mixture.size(); ++f) {
            score += mixture[f] * score_of(options.forms[f], options, attention.length(), w, h, i,
                                           j, x + i * kWidth, x + j * kWidth);
          }
          sum += weight[static_cast<size_t>(j)] = std::exp(score);
        }
        for (int64_t j = 0; j < n; ++j) {
          if (weight[static_cast<size_t>(j)] == 0) continue;
          for (int64_t e = 0; e < kHeadSize; ++e) {
            const int64_t o = h * kHeadSize + e;
            out.mutable_data_ptr<double>()[(begin + i) * kHeads * kHeadSize + o] +=
                weight[static_cast<size_t>(j)] / sum * w.linear("value", o, x + j * kWidth);
          }
        }
      }
    }
  }
  return out;
}

TEST(Synthesizer, EveryFormEqualsItsDefinition) {
  const std::vector<int64_t> lengths{5, kLongest, 1, 0, 7, 13};
  for (const SynthesizerOptions& options : all_options()) {
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      const auto attention = made(options, dtype);
      move_mixture(*attention);
      for (const See see : nn::testing::kAllKinds) {
        SCOPED_TRACE(name_of(options) + nn::testing::kind_name(see));
        Batch batch = make_batch(lengths, {see});
        batch.mask.keep_S = torch::ones({batch.layout.total()}, torch::kBool);
        for (const int64_t hole : {1, 8, 9, 30}) batch.mask.keep_S[hole] = false;
        const Tensor x = random_rows(batch.layout.total(), kWidth, 3, dtype);
        const Tensor expected = by_definition(*attention, options, batch, x);
        for (const bool grad : {true, false}) {
          const torch::AutoGradMode mode(grad);
          EXPECT_LE(worst(run(*attention, context_of(batch), x).to(at::kDouble), expected),
                    dtype == at::kDouble ? 1e-12 : 1e-5);
        }
      }
    }
  }
}

std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Synthesizer, LongerSequencesThanItsScoresAreRefused) {
  for (const bool grad : {true, false}) {
    const torch::AutoGradMode mode(grad);
    const auto attention = made({.forms = {"random"}});
    const Tensor x = random_rows(kLongest + 1, kWidth, 1);
    EXPECT_EQ(
        refusal_of([&] { run(*attention, context_of(make_batch({kLongest + 1}, {See::all})), x); }),
        "[attention] a sequence of 17 tokens is longer than the 16 that this 'synthesizer' "
        "attention has scores for");
  }
  EXPECT_NE(refusal_of([] {
              SynthesizerAttention({.width = 4, .heads = 1, .head_size = 4}, {}, 1, {});
            }).find("needs max_length"),
            std::string::npos);
  EXPECT_NE(refusal_of([] {
              SynthesizerAttention({.width = 4, .heads = 2, .head_size = 2, .longest = 1 << 16}, {},
                                   1, {});
            }).find("random scores for 65536 tokens and 2 heads take 32 GiB a layer"),
            std::string::npos);
}

TEST(Synthesizer, RandomScoresDoNotDependOnTheTextAndDenseOnesOnTheirTokenAlone) {
  const Batch batch = make_batch({9}, {See::all});
  const Tensor x = random_rows(9, kWidth, 1), y = random_rows(9, kWidth, 2);
  for (const char* form : {"random", "fixed_random", "factorized_random"}) {
    const auto attention = made({.forms = {form}, .deviation = 1.0});
    // Weights that do not see the text make the context a linear function of the values.
    const auto moved = [&](const Tensor& rows) {
      return run(*attention, context_of(batch), rows) -
             run(*attention, context_of(batch), torch::zeros_like(rows));
    };
    EXPECT_LE(worst(moved(x + 3 * y), moved(x) + 3 * moved(y)), 1e-12) << form;
  }
  for (const char* form : {"dense", "factorized_dense"}) {
    const auto attention = made({.forms = {form}});
    const auto context = context_of(batch);
    const auto asked_by = [&](const Tensor& query) {
      return attention
          ->forward({.context = context, .query_TD = query, .source_SD = x, .carry = nullptr})
          .context_TD;
    };
    Tensor others = y.clone();
    others[4] = x[4];
    EXPECT_EQ(worst(asked_by(others)[4], asked_by(x)[4]), 0.0) << form;
    EXPECT_GT(worst(asked_by(others)[3], asked_by(x)[3]), 1e-3) << form;
  }
}

TEST(Synthesizer, FactorizedRandomIsRandomWithTheProductOfItsFactors) {
  const auto factors = made({.forms = {"factorized_random"}, .deviation = 1.0}),
             random = made({.forms = {"random"}});
  const auto w = factors->named_parameters();
  give_shared(*random, *factors);
  give(*random, "random", at::bmm(w["random_left"], w["random_right"].transpose(1, 2)));
  const Batch batch = make_batch({9, 16, 3}, nn::testing::kAllKinds);
  const Tensor x = random_rows(28, kWidth, 1);
  for (const bool grad : {true, false}) {
    const torch::AutoGradMode mode(grad);
    EXPECT_LE(worst(run(*factors, context_of(batch), x), run(*random, context_of(batch), x)),
              1e-12);
  }
}

TEST(Synthesizer, AMixtureWithAllWeightOnOneFormIsThatForm) {
  const std::vector<std::string> forms{"dot_product", "dense", "random", "factorized_dense"};
  const Batch batch = make_batch({9, 16, 3}, {See::all, See::past});
  const Tensor x = random_rows(28, kWidth, 1);
  const auto mixture = made({.forms = forms, .deviation = 1.0});
  move_mixture(*mixture);
  EXPECT_LE(worst(mixture->form_weights().sum(0), torch::ones({kHeads}, at::kDouble)), 1e-15);
  for (const std::string& form : forms) {
    for (const std::string& other : forms)
      give(*mixture, "mixture." + other, torch::full({kHeads}, other == form ? 800.0 : 0.0));
    const std::shared_ptr<Attention> alone =
        form == "dot_product" ? nn::testing::build(nn::attention_table().find("softmax"))
                              : made({.forms = {form}});
    give_shared(*alone, *mixture);
    EXPECT_LE(worst(run(*mixture, context_of(batch), x), run(*alone, context_of(batch), x)), 1e-12)
        << form;
  }
}

TEST(Synthesizer, TheSumWithScoresOfZeroIsSoftmaxAttention) {
  const auto sum = made({.forms = {"dot_product", "random"}, .mixture = Mixture::sum});
  give(*sum, "random", torch::zeros({kHeads, kLongest, kLongest}));
  const auto softmax = nn::testing::build(nn::attention_table().find("softmax"));
  give_shared(*softmax, *sum);
  const Batch batch = make_batch({9, 16, 3}, nn::testing::kAllKinds);
  const Tensor x = random_rows(28, kWidth, 1);
  EXPECT_EQ(worst(run(*sum, context_of(batch), x), run(*softmax, context_of(batch), x)), 0.0);
}

TEST(Synthesizer, GradientsOfScoresAreSumsOverTheBatch) {
  const auto attention = made({.forms = {"random"}, .deviation = 1.0});
  const Tensor x = random_rows(25, kWidth, 1);
  const auto gradient = [&](int64_t begin, const std::vector<int64_t>& lengths) {
    const Batch batch = make_batch(lengths, {See::all});
    const Tensor out = run(*attention, context_of(batch), x.narrow(0, begin, batch.layout.total()));
    return torch::autograd::grad({out.pow(2).sum()}, {attention->named_parameters()["random"]})[0];
  };
  const Tensor together = gradient(0, {9, 16});
  EXPECT_LE(worst(together, gradient(0, {9}) + gradient(9, {16})), 1e-12);
  EXPECT_GT(together.abs().max().item<double>(), 1e-4);
}

TEST(Synthesizer, CarriedScoresAreAddedAndHandedOn) {
  const int64_t n = kLongest;
  const auto layer = made({.forms = {"random"}, .deviation = 1.0}, at::kDouble, true),
             sum = made({.forms = {"random"}});
  const Tensor below = random_rows(kHeads * n, n, 4);
  give_shared(*sum, *layer);
  give(*sum, "random", layer->named_parameters()["random"] + below.view({kHeads, n, n}));
  const auto context = context_of(make_batch({n}, {See::past}));
  const Tensor x = random_rows(n, kWidth, 1);
  for (const bool grad : {true, false}) {
    const torch::AutoGradMode mode(grad);
    const auto carry = std::make_shared<nn::Carry>(nn::Carry{.tensors = {below.flatten()}});
    const nn::AttentionOut out =
        layer->forward({.context = context, .query_TD = x, .source_SD = x, .carry = carry});
    EXPECT_LE(worst(out.context_TD, run(*sum, context, x)), 1e-12);
    ASSERT_TRUE(out.carry);
    EXPECT_LE(worst(out.carry->tensors.at(0), sum->named_parameters()["random"].flatten()), 1e-12);
  }
}

int64_t numbers_in(const SynthesizerOptions& options) {
  int64_t count = 0;
  for (const Tensor& parameter : made(options)->parameters()) count += parameter.numel();
  return count;
}

TEST(Synthesizer, OwnsWhatItsFormNeedsAndNothingElse) {
  constexpr int64_t projection = kHeads * kHeadSize * (kWidth + 1), n = kLongest;
  const auto beyond_values = [&](const std::string& form) {
    return numbers_in({.forms = {form}, .rank = 3}) - projection;
  };
  EXPECT_EQ(beyond_values("random"), kHeads * n * n);
  EXPECT_EQ(beyond_values("fixed_random"), 0);
  EXPECT_EQ(beyond_values("factorized_random"), kHeads * 2 * n * 3);
  EXPECT_EQ(beyond_values("dense"), projection + kHeads * n * (kHeadSize + 1));
  EXPECT_EQ(beyond_values("factorized_dense"), kHeads * (4 + 4) * (kWidth + 1));
  EXPECT_EQ(numbers_in({.forms = {"dot_product", "random"}}),
            3 * projection + kHeads * n * n + 2 * kHeads);
  const auto fixed = made({.forms = {"fixed_random"}});
  ASSERT_EQ(fixed->named_buffers().size(), 1U);
  EXPECT_FALSE(fixed->named_buffers()["fixed_random"].requires_grad());
}

TEST(Synthesizer, FactorsLieNearTheSquareRoot) {
  const auto near = [](int64_t length) { return factors_of({}, length); };
  EXPECT_EQ(near(512), std::make_pair(int64_t{32}, int64_t{16}));
  EXPECT_EQ(near(128), std::make_pair(int64_t{16}, int64_t{8}));
  EXPECT_EQ(near(100), std::make_pair(int64_t{10}, int64_t{10}));
  EXPECT_EQ(near(1), std::make_pair(int64_t{1}, int64_t{1}));
  for (int64_t length = 1; length < 600; ++length) {
    const auto [a, b] = near(length);
    EXPECT_TRUE(a * b >= length && a * b < length + a) << length;
  }
}

}  // namespace
}  // namespace tenfold::synthesizer::testing

// The random directions' statistics, FAVOR+ against its theory and reference results, redraws and
// presets. Not here: sums over keys (tests/methods/feature_attention_test.cpp).
#include "methods/performer/performer.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "methods/attention_goldens.h"
#include "methods/performer/compatible_features.h"
#include "methods/performer/random_projection.h"
#include "support/fail.h"

namespace tenfold::performer {
namespace {

using nn::testing::AttentionGoldens;
using nn::testing::GoldenInputs;

TEST(RandomProjection, BlocksAreOrthogonal) {
  for (const bool equal : {false, true}) {
    const Tensor w = draw_projection({.rows = 150, .width = 64, .equal_lengths = equal}, 3, 0);
    for (int64_t begin = 0; begin < 150; begin += 64) {
      const Tensor block = w.narrow(0, begin, std::min<int64_t>(64, 150 - begin));
      const Tensor lengths = block.norm(2, 1);
      const Tensor cosine = block.matmul(block.t()) / lengths.outer(lengths);
      EXPECT_LE((cosine - torch::eye(block.size(0), torch::kDouble)).abs().max().item<double>(),
                1e-12);
      if (equal) {
        EXPECT_LE((lengths - 8.0).abs().max().item<double>(), 1e-12);
      }
    }
  }
}

TEST(RandomProjection, IsAFunctionOfSeedAndDraw) {
  const ProjectionSpec spec{.rows = 20, .width = 8};
  EXPECT_TRUE(draw_projection(spec, 1, 2).equal(draw_projection(spec, 1, 2)));
  EXPECT_FALSE(draw_projection(spec, 1, 2).equal(draw_projection(spec, 1, 3)));
  EXPECT_FALSE(draw_projection(spec, 1, 2).equal(draw_projection(spec, 2, 2)));
}

TEST(RandomProjection, LengthsAreThoseOfGaussianVectors) {
  double sum = 0;
  for (uint64_t draw = 0; draw < 40; ++draw)
    sum += draw_projection({.rows = 64, .width = 64}, 5, draw).square().sum().item<double>();
  EXPECT_NEAR(sum / (40 * 64 * 64), 1.0, 0.01);
}

/// Mean of exp(w . z - |z|^2 / 2) over draws; its expectation is 1, whatever the direction of z.
double mean_estimate(const Tensor& z, int draws) {
  double sum = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const Tensor w = draw_projection({.rows = 64, .width = 64}, 7, static_cast<uint64_t>(draw));
    sum += (w.matmul(z) - 0.5 * z.square().sum()).exp().mean().item<double>();
  }
  return sum / draws;
}

TEST(RandomProjection, EveryDirectionIsTreatedAlike) {
  // QR without a rule for signs is off by 7 % here.
  const Tensor z = torch::full({64}, 1.0 / 8, torch::kDouble);
  EXPECT_NEAR(mean_estimate(z, 400), 1.0, 0.01);
  EXPECT_NEAR(mean_estimate(-z, 400), 1.0, 0.01);
}

/// Estimates of exp(x . y) with a fresh draw each; x, y already scaled.
std::vector<double> estimates(const Tensor& x, const Tensor& y, Kernel kernel, int64_t rows,
                              bool orthogonal, int draws) {
  const int64_t width = x.size(0);
  const double back = std::pow(static_cast<double>(width), 0.25);  // the map scales by D^(-1/4)
  std::vector<double> all;
  for (int draw = 0; draw < draws; ++draw) {
    const Tensor w = draw_projection({.rows = rows, .width = width, .orthogonal = orthogonal}, 11,
                                     static_cast<uint64_t>(draw));
    const auto map = make_map(kernel, w, 0.0);
    // Both as keys, which keep the factors that queries drop.
    const auto whole = [&](const Tensor& t) {
      const nn::KeyFeatures f = map->keys((t * back).view({1, 1, width}));
      return (f.feature_SHR * f.offset_SH.exp().unsqueeze(-1)).flatten();
    };
    all.push_back((whole(x) * whole(y)).sum().item<double>() /
                  static_cast<double>(map->features()));
  }
  return all;
}

struct Moments {
  double mean, error, mean_square_error;
};

Moments moments(const std::vector<double>& all, double truth) {
  double sum = 0, squares = 0, off = 0;
  for (const double v : all) {
    sum += v;
    squares += v * v;
    off += (v - truth) * (v - truth);
  }
  const double n = static_cast<double>(all.size()), mean = sum / n;
  return {mean, std::sqrt((squares / n - mean * mean) / n), off / n};
}

TEST(Favor, EstimatesAreUnbiasedAndTheirErrorIsTheorys) {
  const int64_t width = 16;
  for (const double square : {0.5, 1.0, 2.0}) {
    Tensor x = torch::zeros({width}, torch::kDouble), y = torch::zeros({width}, torch::kDouble);
    // |x + y|^2 = square.
    x[0] = y[0] = std::sqrt(square) / 2;
    const double truth = std::exp((x * y).sum().item<double>());
    for (const int64_t rows : {16, 64}) {
      const Moments plain = moments(estimates(x, y, Kernel::positive, rows, false, 4000), truth);
      EXPECT_LE(std::abs(plain.mean - truth), 4 * plain.error);
      // Lemma 2 of the paper.
      const double theory =
          std::exp(square) * truth * truth * (1 - std::exp(-square)) / static_cast<double>(rows);
      EXPECT_NEAR(plain.mean_square_error / theory, 1.0, 0.25);
      const Moments both = moments(estimates(x, y, Kernel::hyperbolic, rows, false, 4000), truth);
      EXPECT_LE(std::abs(both.mean - truth), 4 * both.error);
      EXPECT_NEAR(both.mean_square_error / (0.5 * (1 - std::exp(-square)) * theory), 1.0, 0.3);
    }
  }
}

/// Mean square error of estimates of exp(x . x), |2 x|^2 = square, over draws of orthogonal
/// directions and over many x for each of them: no x is special.
double orthogonal_error(Kernel kernel, int64_t rows, double square) {
  constexpr int64_t kWidth = 64, kVectors = 128, kDraws = 150;
  torch::manual_seed(5);
  const double truth = std::exp(square / 4), back = std::pow(64.0, 0.25);
  double sum = 0;
  for (uint64_t draw = 0; draw < kDraws; ++draw) {
    const auto map =
        make_map(kernel, draw_projection({.rows = rows, .width = kWidth}, 17, draw), 0.0);
    const Tensor direction = torch::randn({kVectors, 1, kWidth}, torch::kDouble);
    const nn::KeyFeatures f =
        map->keys(direction / direction.norm(2, -1, true) * (std::sqrt(square) / 2 * back));
    const Tensor estimate = (f.feature_SHR * f.offset_SH.exp().unsqueeze(-1)).square().sum(-1) /
                            static_cast<double>(map->features());
    sum += (estimate - truth).square().mean().item<double>();
  }
  return sum / kDraws;
}

TEST(Favor, OrthogonalDirectionsErrLess) {
  // Shares of independent directions' error (Lemma 2), measured once with other code for heads of
  // 64 numbers. 16 directions gain little: 4,000 draws gave 0.957, 0.933 and 0.910, too near to 1
  // for fewer draws to tell.
  struct Row {
    int64_t rows;
    double square, share;
  };
  for (const Row& row : {Row{16, 0.5, 0}, Row{16, 2.0, 0}, Row{64, 0.5, 0.79}, Row{64, 1.0, 0.75},
                         Row{64, 2.0, 0.70}, Row{256, 0.5, 0.80}, Row{256, 2.0, 0.74}}) {
    SCOPED_TRACE(fmt::format("{} directions, |x + y|^2 = {}", row.rows, row.square));
    const double truth = std::exp(row.square / 4), m = static_cast<double>(row.rows),
                 independent =
                     std::exp(row.square) * truth * truth * (1 - std::exp(-row.square)) / m,
                 error = orthogonal_error(Kernel::positive, row.rows, row.square);
    if (row.share > 0) {
      EXPECT_LT(error / independent, 0.95);
      EXPECT_NEAR(error / independent, row.share, 0.08);
    }
    if (row.rows > 64) continue;
    // Theorem 2: at least this much less.
    const double less = 2 * (m - 1) / (m * 66) * std::pow(truth - std::exp(-row.square / 4), 2);
    EXPECT_LE(error, 1.03 * (independent - less));
  }
  EXPECT_NEAR(orthogonal_error(Kernel::hyperbolic, 64, 0.5), 2.0e-4, 0.3e-4);
}

/// Relative error of attention's output against softmax, for Gaussian queries and keys.
double output_error(Kernel kernel, int64_t features, double deviation, bool equal_lengths) {
  const int64_t n = 512, width = 64;
  torch::manual_seed(1);
  double sum = 0;
  for (uint64_t draw = 0; draw < 3; ++draw) {
    const auto rows = [&](double scale) {
      return torch::randn({n, 1, width}, torch::kDouble) * scale;
    };
    const Tensor q = rows(deviation), k = rows(deviation), v = rows(1.0);
    const Tensor exact =
        at::softmax(q.squeeze(1).matmul(k.squeeze(1).t()) / 8.0, -1).matmul(v.squeeze(1));
    const int64_t directions = features / features_of_direction(kernel);
    nn::FeaturePlan plan{
        .sequences = {{.queries = n, .keys = n, .kept = {}}},
        .map = make_map(
            kernel,
            draw_projection({.rows = directions, .width = width, .equal_lengths = equal_lengths},
                            13, draw),
            0.0)};
    const Tensor got = nn::feature_fast(q, k, v, plan).squeeze(1);
    sum += ((got - exact).norm() / exact.norm()).item<double>();
  }
  return sum / 3;
}

TEST(Favor, OutputErrorsAreThoseOfTheTable) {
  // Norms decide: for deviation 0.25 random features are good, for 1 they are worse than uniform
  // weights. Figures measured once with other code, 30 % of spread.
  const auto near = [](double got, double expected) { EXPECT_NEAR(got / expected, 1.0, 0.3); };
  near(output_error(Kernel::positive, 256, 0.25, false), 0.066);
  near(output_error(Kernel::hyperbolic, 256, 0.25, false), 0.027);
  near(output_error(Kernel::hyperbolic, 256, 0.25, true), 0.019);
  near(output_error(Kernel::positive, 256, 0.5, false), 0.41);
  near(output_error(Kernel::hyperbolic, 256, 0.5, false), 0.33);
}

TEST(Favor, ErrorFallsWithTheRootOfTheFeatures) {
  const double few = output_error(Kernel::positive, 64, 0.25, false),
               many = output_error(Kernel::positive, 1024, 0.25, false);
  EXPECT_NEAR(std::log(many / few) / std::log(16.0), -0.5, 0.08);
}

TEST(Favor, EqualsReferenceResults) {
  TENFOLD_COMPARES_GOLDENS();
  const AttentionGoldens goldens("favor");
  for (const auto& [name, about] : goldens.cases().items()) {
    const std::string inputs = about["inputs"].get<std::string>();
    if (name.rfind("projection", 0) == 0) continue;
    const Tensor w = goldens[inputs + "/W"];
    const std::string map = about.value("map", "");
    if (map == "trig") {
      const auto trig = make_map(Kernel::trigonometric, w, 0.0);
      const nn::KeyFeatures f =
          trig->keys(nn::testing::packed_rows(goldens[inputs + "/k"].to(torch::kDouble)));
      const Tensor got = f.feature_SHR * f.offset_SH.exp().unsqueeze(-1) /
                         std::sqrt(static_cast<double>(w.size(0)));
      EXPECT_LE(nn::testing::golden_error(got, goldens[name + "/features_k"]), 1e-10) << name;
      tenfold::testing::compared_goldens(1);
      continue;
    }
    const bool epsilon_form =
        name.rfind("compat-lucidrains", 0) == 0 || name.rfind("compat-google", 0) == 0;
    for (const auto form : {&nn::feature_fast, &nn::feature_chunked}) {
      nn::testing::check_golden(goldens, name, about, 1e-4, [&](const GoldenInputs& in) {
        nn::FeaturePlan plan;
        plan.sequences = in.sequences;
        if (epsilon_form) {
          const nn::DividedFeatures features =
              compatible_features(in.query, in.key, w, about["eps"].get<double>(), plan);
          return form(features.query_THR, features.key_SHR, in.value, features.plan);
        }
        const Kernel kernel = name.rfind("compat-relu", 0) == 0 ? Kernel::relu
                              : map == "positive"               ? Kernel::positive
                                                                : Kernel::hyperbolic;
        plan.map = make_map(kernel, w, about.value("eps", 0.0));
        return form(in.query, in.key, in.value, plan);
      });
    }
  }
}

std::shared_ptr<Performer> small_performer(Options options) {
  return std::make_shared<Performer>(
      nn::AttentionShape{.width = 12, .heads = 3, .head_size = 4, .initializer_range = 0.5},
      options, 5, torch::TensorOptions().dtype(torch::kDouble));
}

Tensor result_of(const nn::Attention& attention) {
  const nn::testing::Batch batch = nn::testing::make_batch({5, 3}, {See::past});
  return nn::testing::run(attention, nn::testing::context_of(batch),
                          nn::testing::random_rows(8, 12, 1));
}

TEST(Performer, DirectionsAreRedrawnAsAFunctionOfTheStep) {
  const auto one = small_performer({.redraw_interval = 10}),
             other = small_performer({.redraw_interval = 10});
  const Tensor first = one->named_buffers()["projection"].clone(), before = result_of(*one);
  one->before_step(9);
  EXPECT_TRUE(one->named_buffers()["projection"].equal(first));
  one->before_step(10);
  EXPECT_FALSE(one->named_buffers()["projection"].equal(first));
  EXPECT_GT(nn::testing::worst(result_of(*one), before), 1e-6);  // the features follow
  for (const int64_t step : {11, 19, 20, 35}) one->before_step(step);
  other->before_step(35);
  EXPECT_TRUE(one->named_buffers()["projection"].equal(other->named_buffers()["projection"]));
  EXPECT_TRUE(result_of(*one).equal(result_of(*one)));
}

TEST(Performer, DirectionsNeverLearn) {
  const auto performer = small_performer({});
  for (const auto& item : performer->named_parameters())
    EXPECT_EQ(item.key().find("projection"), std::string::npos);
  EXPECT_FALSE(performer->named_buffers()["projection"].requires_grad());
}

TEST(Performer, PresetsAreOtherProgramsSettings) {
  const Options paper = Options{.preset = Preset::paper}.effective(),
                lucidrains = Options{.preset = Preset::lucidrains}.effective();
  EXPECT_EQ(paper.features, 256);
  EXPECT_EQ(paper.epsilon, 1e-6);
  EXPECT_EQ(lucidrains.redraw_interval, 1000);
  EXPECT_EQ(lucidrains.epsilon, 1e-4);
  // int(D ln D) at the usual head size.
  const Performer wide(nn::AttentionShape{.width = 64, .heads = 1, .head_size = 64},
                       Options{.preset = Preset::lucidrains}, 1, torch::TensorOptions());
  EXPECT_EQ(wide.named_buffers()["projection"].size(0), 266);
  EXPECT_FALSE(Performer::traits_of({.preset = Preset::lucidrains}).incremental);
}

TEST(Performer, ImpossibleOptionsAreRefused) {
  EXPECT_THROW(Options{.features = 33}.validate("model.attention.performer"), Error);
  EXPECT_THROW((Options{.kernel = Kernel::relu, .stabilizer = Stabilizer::epsilon}.validate("x")),
               Error);
  EXPECT_NO_THROW((Options{.kernel = Kernel::positive, .features = 33}.validate("x")));
}

}  // namespace
}  // namespace tenfold::performer

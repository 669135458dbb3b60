// Linear attention against reference results, its recurrent state step by step, and long sequences.
// Not here: the kernel against its definition (tests/methods/feature_attention_test.cpp).
#include "methods/linear_attention/linear_attention.h"

#include "methods/attention_goldens.h"
#include "methods/linear_attention/linear_maps.h"
#include "support/clock.h"

namespace tenfold::linear_attention {
namespace {

using nn::testing::AttentionGoldens;
using nn::testing::GoldenInputs;

/// The plan of a case, from what its table says of it.
nn::FeaturePlan plan_of(const std::string& name, const nlohmann::json& about, int64_t head_size) {
  Options options;
  const std::string map = about.value("map", "");
  if (map.find("softmax") != std::string::npos) options.feature_map = Map::softmax;
  if (map.find("q") != std::string::npos && map[0] == '1') options.feature_map = Map::taylor;
  if (name.rfind("efficient", 0) == 0) options.feature_map = Map::efficient;
  if (name.find("scalar") != std::string::npos) options.feature_map = Map::efficient_scalar;
  nn::FeaturePlan plan{.sequences = {}, .map = make_map(options, head_size)};
  plan.epsilon = about.value("eps", 0.0);
  if (options.feature_map == Map::efficient) plan.denominator = nn::Denominator::feature;
  return plan;
}

TEST(LinearAttention, EqualsReferenceResults) {
  TENFOLD_COMPARES_GOLDENS();
  const AttentionGoldens goldens("linear");
  for (const auto& [name, about] : goldens.cases().items()) {
    for (const auto form : {&nn::feature_fast, &nn::feature_chunked}) {
      nn::testing::check_golden(goldens, name, about, 1e-5, [&](const GoldenInputs& in) {
        nn::FeaturePlan plan = plan_of(name, about, in.query.size(2));
        plan.sequences = in.sequences;
        return form(in.query, in.key, in.value, plan);
      });
    }
  }
}

TEST(LinearAttention, TheStateEqualsReferenceStatesAfterEveryToken) {
  TENFOLD_COMPARES_GOLDENS();
  const AttentionGoldens goldens("linear");
  const std::string name = "elu1-steps-n12";
  const GoldenInputs in =
      nn::testing::golden_inputs(goldens, name, goldens.cases()[name], torch::kDouble);
  const nn::FeaturePlan plan{.sequences = {}, .map = make_map({}, in.query.size(2))};
  const torch::NoGradGuard no_grad;
  const int64_t n = in.sequences[0].queries;
  for (size_t b = 0; b < in.sequences.size(); ++b) {
    const auto& s = in.sequences[b];
    nn::RecurrentState state;
    for (int64_t i = 0; i < n; ++i) {
      const Tensor keep = goldens[name + "/keep"][static_cast<int64_t>(b)].narrow(0, i, 1);
      state = nn::extend_state(state, in.key.narrow(0, s.key_begin + i, 1),
                               in.value.narrow(0, s.key_begin + i, 1), keep.to(torch::kBool), plan);
      const auto at = [&](const char* what) {
        return goldens[name + what][static_cast<int64_t>(b)].select(1, i);
      };
      EXPECT_LE(nn::testing::worst(state.sum_HRE, at("/S")), 1e-10) << i;
      EXPECT_LE(nn::testing::worst(state.normalizer_HR, at("/z")), 1e-10) << i;
      tenfold::testing::compared_goldens(2);
    }
  }
}

/// Seconds of a forward and a backward pass over one sequence.
double seconds_of_pass(int64_t length, See see) {
  const auto rows = [&](uint64_t seed) {
    return nn::testing::random_rows(length, 64, seed, torch::kFloat)
        .view({length, 1, 64})
        .detach()
        .requires_grad_();
  };
  const Tensor query = rows(1), key = rows(2), value = rows(3);
  const nn::FeaturePlan plan{
      .sequences = {{.queries = length, .keys = length, .kind = see, .kept = {}}},
      .map = make_map({}, 64)};
  double best = 1e9;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const Stopwatch watch;
    nn::feature_fast(query, key, value, plan).sum().backward();
    best = std::min(best, watch.seconds());
  }
  return best;
}

TEST(LinearAttention, TimeGrowsWithTheLengthSlow) {
  for (const See see : {See::all, See::past, See::others}) {
    const double ratio = seconds_of_pass(65536, see) / seconds_of_pass(8192, see);
    EXPECT_LE(std::log2(ratio) / 3, 1.1) << nn::testing::kind_name(see);
  }
}

}  // namespace
}  // namespace tenfold::linear_attention

// Attention by sums over keys: the kernel and the operators' path against the definition, for every
// map and mask, at lengths around the chunk's. Not here: what every kind must do
// (attention_properties_test.cpp), single maps' own tests.
#include "nn/feature_attention.h"

#include "cuda.h"
#include "methods/linear_attention/linear_maps.h"
#include "methods/performer/performer_map.h"
#include "methods/performer/random_projection.h"
#include "nn/attention_fixture.h"
#include "nn/scan_plan.h"
#include "nn/visible_range.h"
#include "support/fail.h"

namespace tenfold::nn::testing {
namespace {

constexpr int64_t kE = 6, kV = 5, kH = 2;

struct NamedPlan {
  std::string name;
  FeaturePlan plan;
};

std::vector<NamedPlan> plans() {
  std::vector<NamedPlan> all;
  using linear_attention::Map;
  for (const auto& [name, map] : {std::pair{"elu1", Map::elu1},
                                  {"relu", Map::relu},
                                  {"squared", Map::squared},
                                  {"softmax", Map::softmax},
                                  {"taylor", Map::taylor},
                                  {"efficient", Map::efficient},
                                  {"efficient_scalar", Map::efficient_scalar}}) {
    linear_attention::Options options;
    options.feature_map = map;
    FeaturePlan plan{.sequences = {}, .map = linear_attention::make_map(options, kE)};
    if (map == Map::efficient) plan.denominator = Denominator::feature;
    all.push_back({name, plan});
  }
  using performer::Kernel;
  const Tensor directions = performer::draw_projection({.rows = 9, .width = kE}, 1, 0);
  for (const auto& [name, kernel] : {std::pair{"positive", Kernel::positive},
                                     {"hyperbolic", Kernel::hyperbolic},
                                     {"relu features", Kernel::relu}}) {
    all.push_back({name, {.sequences = {}, .map = performer::make_map(kernel, directions, 1e-3)}});
  }
  all.push_back({"with epsilon", all[0].plan});
  all.back().plan.epsilon = 0.1;
  all.back().plan.key_sum_offset = 0.2;
  return all;
}

struct Inputs {
  Tensor query, key, value;
};

Inputs make_inputs(int64_t queries, int64_t keys, at::ScalarType dtype, double size = 1.0) {
  const auto rows = [&](int64_t n, int64_t width, uint64_t seed) {
    return (random_rows(n, kH * width, seed, dtype) * size)
        .view({n, kH, width})
        .detach()
        .requires_grad_();
  };
  return {rows(queries, kE, 1), rows(keys, kE, 2), rows(keys, kV, 3)};
}

using Form = decltype(&feature_reference);

std::vector<Tensor> values_and_gradients(const Inputs& in, const FeaturePlan& plan, Form form) {
  const Tensor out = form(in.query, in.key, in.value, plan);
  const Tensor weight = random_rows(1, out.numel(), 6, out.scalar_type())[0].view_as(out);
  std::vector<Tensor> all{out.detach()};
  for (const Tensor& g : torch::autograd::grad({(out * weight).sum()}, {in.query, in.key, in.value},
                                               {}, true, false, true)) {
    all.push_back(g.defined() ? g : torch::zeros({0}));
  }
  const torch::NoGradGuard no_grad;
  all.push_back(form(in.query, in.key, in.value, plan));
  return all;
}

double relative(const Tensor& got, const Tensor& expected) {
  if (expected.numel() == 0) return 0.0;
  return worst(got.to(torch::kDouble), expected.to(torch::kDouble)) /
         std::max(1.0, expected.abs().max().item<double>());
}

std::vector<AttentionSequence> sequences_of(See see, const std::vector<int64_t>& lengths,
                                            bool holes) {
  std::vector<AttentionSequence> all;
  int64_t begin = 0;
  for (const int64_t n : lengths) {
    AttentionSequence s{.query_begin = begin,
                        .queries = n,
                        .key_begin = begin,
                        .keys = n,
                        .kind = see,
                        .source = n / 3,
                        .kept = {}};
    if (holes) {
      Tensor keep = torch::ones({n}, torch::kBool);
      for (int64_t j = 0; j < n; j += 5) keep[j] = false;
      leave_out_holes(s, keep);
    }
    all.push_back(s);
    begin += n;
  }
  return all;
}

TEST(FeatureAttention, EveryFormEqualsItsDefinition) {
  const std::vector<int64_t> lengths{1, 7, 0, 64, 129, 200};
  for (const NamedPlan& named : plans()) {
    for (const See see : kAllKinds) {
      for (const bool holes : {false, true}) {
        SCOPED_TRACE(named.name + " " + kind_name(see) + (holes ? " holes" : ""));
        FeaturePlan plan = named.plan;
        plan.sequences = sequences_of(see, lengths, holes);
        const Inputs in = make_inputs(401, 401, torch::kDouble);
        const auto expected = values_and_gradients(in, plan, feature_reference);
        for (const Form form : {&feature_fast, &feature_chunked}) {
          const auto got = values_and_gradients(in, plan, form);
          for (size_t i = 0; i < got.size(); ++i)
            EXPECT_LE(relative(got[i], expected[i]), 1e-11) << "result " << i;
        }
        Inputs narrow = make_inputs(401, 401, torch::kFloat);
        const auto got = values_and_gradients(narrow, plan, feature_fast);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_LE(relative(got[i], expected[i]), 2e-5) << "fp32 result " << i;
      }
    }
  }
}

// Heads of whole vectors are read where they lie, and what is more than the caches hold is written
// past them; heads of other sizes are copied, and rows that do not begin at whole parts are not.
TEST(FeatureAttention, LargeTensorsOfHeadsThatFillVectorsAndOfOthers) {
  struct Case {
    int64_t rows, size;
  };
  for (const Case& at : {Case{4200, 16}, Case{2400, 28}, Case{13200, 5}}) {
    for (const bool random : {false, true}) {
      if (random && at.size != 16) continue;
      FeaturePlan plan;
      plan.map = random ? performer::make_map(
                              performer::Kernel::hyperbolic,
                              performer::draw_projection({.rows = 8, .width = at.size}, 1, 0), 0.0)
                        : linear_attention::make_map({}, at.size);
      const auto rows = [&](uint64_t seed) {
        return random_rows(at.rows, 4 * at.size, seed, torch::kFloat)
            .view({at.rows, 4, at.size})
            .detach()
            .requires_grad_();
      };
      const Inputs in{rows(1), rows(2), rows(3)};
      const Inputs wide{in.query.detach().to(torch::kDouble).requires_grad_(),
                        in.key.detach().to(torch::kDouble).requires_grad_(),
                        in.value.detach().to(torch::kDouble).requires_grad_()};
      for (const See see : {See::all, See::past, See::others}) {
        SCOPED_TRACE(kind_name(see) + std::string(" of ") + std::to_string(at.size));
        plan.sequences = sequences_of(see, {at.rows - 300, 300}, see == See::past);
        const auto expected = values_and_gradients(wide, plan, feature_chunked);
        const auto got = values_and_gradients(in, plan, feature_fast);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_LE(relative(got[i], expected[i]), 5e-5) << "result " << i;
      }
    }
  }
}

TEST(FeatureAttention, CrossAttentionOfOtherLengths) {
  for (const NamedPlan& named : plans()) {
    for (const auto& [n, m] :
         {std::pair<int64_t, int64_t>{1, 129}, {129, 1}, {70, 0}, {64, 1000}}) {
      SCOPED_TRACE(named.name);
      FeaturePlan plan = named.plan;
      plan.sequences = {{.queries = n, .keys = m, .kept = {}}};
      const Inputs in = make_inputs(n, m, torch::kDouble);
      const auto expected = values_and_gradients(in, plan, feature_reference);
      for (const Form form : {&feature_fast, &feature_chunked}) {
        const auto got = values_and_gradients(in, plan, form);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_LE(relative(got[i], expected[i]), 1e-11) << n << " x " << m << " result " << i;
      }
    }
  }
}

/// Queries that stand behind keys of before, all given: the masks' general form.
TEST(FeatureAttention, QueriesFurtherOnThanTheirKeys) {
  for (const NamedPlan& named : plans()) {
    for (const See see : kAllKinds) {
      SCOPED_TRACE(named.name + " " + kind_name(see));
      FeaturePlan plan = named.plan;
      plan.sequences = {
          {.queries = 70, .keys = 300, .past = 150, .kind = see, .source = 170, .kept = {}}};
      const Inputs in = make_inputs(70, 300, torch::kDouble);
      const auto expected = values_and_gradients(in, plan, feature_reference);
      for (const Form form : {&feature_fast, &feature_chunked}) {
        const auto got = values_and_gradients(in, plan, form);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_LE(relative(got[i], expected[i]), 1e-11) << "result " << i;
      }
    }
  }
}

TEST(FeatureAttention, TheFutureChangesNoBit) {
  for (const NamedPlan& named : plans()) {
    SCOPED_TRACE(named.name);
    FeaturePlan plan = named.plan;
    plan.sequences = sequences_of(See::past, {200}, false);
    const Inputs in = make_inputs(200, 200, torch::kFloat);
    const torch::NoGradGuard no_grad;
    const Tensor before = feature_fast(in.query, in.key, in.value, plan);
    for (const int64_t place : {1, 63, 64, 100, 199}) {
      Tensor key = in.key.clone(), value = in.value.clone();
      key.narrow(0, place, 200 - place).mul_(7).add_(3);
      value.narrow(0, place, 200 - place).mul_(-50);
      const Tensor after = feature_fast(in.query, key, value, plan);
      EXPECT_TRUE(after.narrow(0, 0, place).equal(before.narrow(0, 0, place))) << place;
    }
  }
}

TEST(FeatureAttention, EqualValuesComeBackAndGiveNoGradientToKeys) {
  for (const NamedPlan& named : plans()) {
    if (named.plan.epsilon > 0) continue;
    for (const See see : kAllKinds) {
      SCOPED_TRACE(named.name + " " + kind_name(see));
      FeaturePlan plan = named.plan;
      plan.sequences = sequences_of(see, {150}, false);
      Inputs in = make_inputs(150, 150, torch::kDouble);
      in.value = torch::ones_like(in.value).requires_grad_();
      const auto got = values_and_gradients(in, plan, feature_fast);
      EXPECT_LE(worst(got[0], torch::ones_like(got[0])), 1e-12);
      EXPECT_LE(got[1].abs().max().item<double>(), 1e-12);
      EXPECT_LE(got[2].abs().max().item<double>(), 1e-12);
    }
  }
}

TEST(FeatureAttention, LargeNumbersStayFinite) {
  for (const NamedPlan& named : plans()) {
    for (const See see : kAllKinds) {
      SCOPED_TRACE(named.name + " " + kind_name(see));
      FeaturePlan plan = named.plan;
      plan.sequences = sequences_of(see, {300}, false);
      const Inputs in = make_inputs(300, 300, torch::kFloat, 20.0);  // norms of about 50
      for (const Tensor& t : values_and_gradients(in, plan, feature_fast))
        EXPECT_TRUE(t.isfinite().all().item<bool>());
    }
  }
}

TEST(FeatureAttention, ARowThatSeesNothingIsZero) {
  for (const NamedPlan& named : plans()) {
    FeaturePlan plan = named.plan;
    plan.key_sum_offset = 0;
    plan.sequences = sequences_of(See::others, {1}, false);
    const Inputs in = make_inputs(1, 1, torch::kDouble);
    for (const Form form : {&feature_fast, &feature_chunked}) {
      for (const Tensor& t : values_and_gradients(in, plan, form))
        EXPECT_EQ(t.abs().sum().item<double>(), 0.0) << named.name;
    }
  }
}

TEST(FeatureAttention, TheStateOfAPrefixGoesOn) {
  for (const NamedPlan& named : plans()) {
    SCOPED_TRACE(named.name);
    const torch::NoGradGuard no_grad;
    FeaturePlan plan = named.plan;
    plan.sequences = sequences_of(See::past, {200}, false);
    const Inputs in = make_inputs(200, 200, torch::kDouble);
    const Tensor whole = feature_fast(in.query, in.key, in.value, plan);
    const auto part = [](const Tensor& x, int64_t begin, int64_t end) {
      return x.narrow(0, begin, end - begin);
    };
    RecurrentState state;
    int64_t at = 0;
    for (const int64_t end : {1, 90, 91, 92, 200}) {
      plan.sequences = sequences_of(See::past, {end - at}, false);
      const Tensor step = feature_step(part(in.query, at, end), part(in.key, at, end),
                                       part(in.value, at, end), {state}, plan);
      EXPECT_LE(worst(step, part(whole, at, end)), 1e-12) << at;
      state = extend_state(state, part(in.key, at, end), part(in.value, at, end), {}, plan);
      at = end;
    }
  }
}

TEST(FeatureAttention, CudaEqualsTheDefinition) {
  TENFOLD_NEEDS_CUDA();
  for (const NamedPlan& named : plans()) {
    for (const See see : kAllKinds) {
      SCOPED_TRACE(named.name + " " + kind_name(see));
      FeaturePlan plan = named.plan;
      plan.sequences = sequences_of(see, {1, 64, 200}, true);
      const Inputs in = make_inputs(265, 265, torch::kDouble);
      const auto there = [](const Tensor& t) {
        return t.detach().to(torch::kCUDA).requires_grad_();
      };
      const Inputs moved{there(in.query), there(in.key), there(in.value)};
      const Tensor expected = feature_reference(in.query, in.key, in.value, plan);
      const Tensor got = feature_attention(moved.query, moved.key, moved.value, plan);
      EXPECT_LE(relative(got.cpu(), expected), 1e-11);
      const Tensor weight = random_rows(1, expected.numel(), 6)[0].view_as(expected);
      const auto right =
          torch::autograd::grad({(expected * weight).sum()}, {in.query, in.key, in.value});
      const auto ours = torch::autograd::grad({(got * weight.to(torch::kCUDA)).sum()},
                                              {moved.query, moved.key, moved.value});
      for (size_t i = 0; i < 3; ++i) EXPECT_LE(relative(ours[i].cpu(), right[i]), 1e-11);
    }
  }
}

}  // namespace
}  // namespace tenfold::nn::testing

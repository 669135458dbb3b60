// A second attention kind, the mean of what may be seen: it shows that a kind which only registers
// itself meets every property test of its program, and what is refused of a kind that can do less.
// Not here: the properties (attention_properties_test.cpp).
#include "attention_fixture.h"
#include "nn/stack.h"
#include "support/fail.h"

namespace tenfold::nn::testing {
namespace {

class UniformAttention final : public ProjectedAttention {
 public:
  UniformAttention(const AttentionShape& shape, const config::NoOptions&, uint64_t seed,
                   torch::TensorOptions options)
      : ProjectedAttention(shape, seed, options) {}
  static AttentionTraits traits_of(const config::NoOptions&) {
    return {.kinds = {See::all, See::past, See::others}, .cross = true};
  }
  static double flops_of(const AttentionShape& shape, const config::NoOptions&,
                         const AttentionLoad& load) {
    return projection_flops(shape, load);
  }
  AttentionTraits traits() const override { return traits_of({}); }
  std::unique_ptr<AttentionMemory> new_memory(int64_t, int64_t) const override {
    fail(ErrorKind::unsupported, "attention", "'uniform' cannot be decoded step by step");
  }

 protected:
  AttentionOut mix(const Tensor& query_THE, const Tensor&, const Tensor& value_SHE,
                   const AttentionIn& in) const override {
    const AttentionContext& context = in.context;
    std::vector<Tensor> rows{query_THE.narrow(0, 0, 0) * 0};
    for (int64_t b = 0; b < context.query_layout.count(); ++b) {
      const int64_t n = context.query_layout.length(b), begin = context.source_layout.begin(b),
                    m = context.source_layout.length(b);
      const Tensor seen_NM = context.mask.visible(b, 0, n, m, begin);
      for (int64_t i = 0; i < n; ++i) {
        const Tensor value = value_SHE.narrow(0, begin, m).index({seen_NM[i]});
        rows.push_back(value.sum(0, true) /
                       static_cast<double>(std::max<int64_t>(1, value.size(0))));
      }
    }
    return {at::cat(rows), nullptr};
  }
};

const bool kRegistered = [] {
  attention_table().add(attention_kind<UniformAttention, config::NoOptions>(
      "uniform", "the mean of what may be seen", ""));
  return true;
}();

std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

StackSpec uniform_stack() {
  StackSpec spec{
      .width = 12, .heads = 3, .intermediate_size = 20, .runs = {{.count = 2, .attention = {}}}};
  spec.runs[0].attention.kind = "uniform";
  return spec;
}

TEST(LesserAttention, ResidualAttentionIsRefusedWithItsReason) {
  ASSERT_TRUE(kRegistered);
  StackSpec spec = uniform_stack();
  EXPECT_EQ(refusal_of([&] { spec.validate("model.layers"); }), "accepted");
  spec.runs[0].residual_attention = true;
  EXPECT_EQ(refusal_of([&] { spec.validate("model.layers"); }),
            "[model.layers] residual_attention adds the raw scores of the layer below, but "
            "'uniform' attention never forms scores");
  EXPECT_NE(refusal_of([&] { Stack(spec, 1, torch::kFloat32); }).find("never forms scores"),
            std::string::npos);
  spec.runs[0].attention.kind = "softmax";
  EXPECT_EQ(refusal_of([&] { spec.validate("model.layers"); }), "accepted");
  spec.runs[0].residual_mean = true;
  EXPECT_EQ(refusal_of([&] { spec.validate("model.layers"); }), "accepted");
  spec.runs[0].residual_attention = false;
  EXPECT_EQ(refusal_of([&] { spec.validate("model.layers"); }),
            "[model.layers] residual_mean divides what residual_attention carries, which is off");
}

TEST(LesserAttention, MasksDecodingAndBiasItCannotDoAreRefused) {
  const StackSpec spec = uniform_stack();
  EXPECT_EQ(refusal_of([&] { spec.validate("m", {See::all, See::past}); }), "accepted");
  EXPECT_NE(refusal_of([&] {
              spec.validate("m", {See::prefix});
            }).find("'uniform' attention does not honour the mask"),
            std::string::npos);
  const Stack stack(spec, 1, torch::kFloat64);
  EXPECT_NE(refusal_of([&] { stack.new_state(1, 4); }).find("cannot be decoded step by step"),
            std::string::npos);
  const auto attention = build(attention_table().find("uniform"));
  const Tensor x = random_rows(2, kWidth, 1);
  EXPECT_NE(refusal_of([&] {
              run(*attention, context_of(make_batch({2}, {See::future})), x);
            }).find("does not honour the mask"),
            std::string::npos);
  AttentionContext biased = context_of(make_batch({2}, {See::all}));
  biased.bias = std::make_shared<PositionBias>(PositionBias{torch::zeros({3, 3}), 1});
  EXPECT_NE(refusal_of([&] { run(*attention, biased, x); }).find("cannot take a position bias"),
            std::string::npos);
}

TEST(LesserAttention, ScoresAreNotCarriedAcrossItsRun) {
  // softmax, uniform, softmax: with a run of another kind between, the carry starts anew, so the
  // stack equals the same runs without any carry.
  StackSpec spec = uniform_stack();
  spec.initializer_range = 0.3;
  const auto softmax = [](bool residual) {
    StackRun run{.count = 1, .attention = {}, .residual_attention = residual};
    run.attention.kind = "softmax";
    return run;
  };
  const Batch batch = make_batch({4, 3}, {See::all});
  const auto out = [&](bool residual) {
    spec.runs = {softmax(residual), uniform_stack().runs[0], softmax(residual)};
    const Stack stack(spec, 1, torch::kFloat64);
    return stack
        .forward({.hidden_TD = random_rows(7, 12, 3),
                  .layout = batch.layout,
                  .mask = batch.mask,
                  .pass = {},
                  .source_SD = {},
                  .bias = nullptr})
        .hidden_TD;
  };
  EXPECT_EQ(worst(out(true), out(false)), 0.0);
}

}  // namespace
}  // namespace tenfold::nn::testing

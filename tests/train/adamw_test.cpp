// The fused AdamW against its plain-loop definition, and the state it hands to checkpoints.
// Not here: schedules and clipping.
#include "train/adamw.h"

#include <gtest/gtest.h>

#include "cuda.h"
#include "train/toy.h"

namespace tenfold::train {
namespace {

std::vector<double> numbers_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(torch::kFloat64).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

struct Followed {
  Parameter parameter;
  AdamWReference reference;
};

Followed followed(const std::string& name, std::vector<int64_t> shape, torch::Dtype dtype,
                  double scale) {
  const Tensor value = testing::noise(shape, key_of_name(name), dtype).requires_grad_();
  const std::vector<double> zeros(static_cast<size_t>(value.numel()), 0.0);
  return {{.name = name, .value = value, .learning_rate_scale = scale, .decays = value.dim() > 1},
          {numbers_of(value), zeros, zeros}};
}

void follow_the_definition(torch::Dtype dtype, double tolerance) {
  std::vector<Followed> all{followed("a.weight", {33, 5}, dtype, 1),
                            followed("a.bias", {33}, dtype, 1),
                            followed("b.weight", {7, 3}, dtype, 0.25)};
  const AdamWOptions options{
      .learning_rate = 0.02, .beta2 = 0.98, .epsilon = 1e-6, .weight_decay = 0.1};
  AdamW optimizer({all[0].parameter, all[1].parameter, all[2].parameter}, options);
  for (int64_t step = 1; step <= 12; ++step) {
    const double factor = 1.0 / static_cast<double>(step);
    for (size_t i = 0; i < all.size(); ++i) {
      Followed& one = all[i];
      const Tensor gradient =
          testing::noise(one.parameter.value.sizes(), static_cast<uint64_t>(step) * 10 + i, dtype);
      one.parameter.value.mutable_grad() = gradient;
      one.reference.update(numbers_of(gradient), step,
                           0.02 * factor * one.parameter.learning_rate_scale,
                           one.parameter.decays ? 0.1 : 0.0, options);
    }
    optimizer.step(factor);
    for (Followed& one : all) {
      const auto got = numbers_of(one.parameter.value);
      for (size_t k = 0; k < got.size(); ++k) {
        ASSERT_NEAR(got[k], one.reference.value[k], tolerance)
            << one.parameter.name << " step " << step;
      }
    }
  }
}

TEST(AdamW, FusedEqualsThePlainLoops) {
  follow_the_definition(torch::kFloat64, 1e-12);
  follow_the_definition(torch::kFloat32, 2e-6);
}

/// What is made of the weights (packed, narrow) hangs on their version.
void expect_update_raises_version(torch::Device device) {
  const Tensor value = testing::noise({4, 4}, 1).to(device).requires_grad_();
  AdamW optimizer({{.name = "w", .value = value}}, {});
  value.mutable_grad() = torch::ones_like(value).detach();
  const auto before = value._version();
  optimizer.step(1);
  EXPECT_NE(value._version(), before);
}

TEST(AdamW, AnUpdateIsSeenByWhatIsMadeOfTheWeights) { expect_update_raises_version(torch::kCPU); }

TEST(AdamW, AnUpdateOnCudaIsSeenByWhatIsMadeOfTheWeights) {
  TENFOLD_NEEDS_CUDA();
  expect_update_raises_version(torch::kCUDA);
}

TEST(AdamW, AParameterWithoutGradientStaysAsItIs) {
  Followed one = followed("w", {2, 2}, torch::kFloat32, 1);
  AdamW optimizer({one.parameter}, {});
  const Tensor before = one.parameter.value.detach().clone();
  optimizer.step(1);
  EXPECT_TRUE(torch::equal(before, one.parameter.value));
  EXPECT_TRUE(optimizer.state().empty());
}

TEST(AdamW, StateGoesToAnotherOptimizerBitByBit) {
  Followed one = followed("w", {4, 3}, torch::kFloat32, 1);
  AdamW first({one.parameter}, {});
  one.parameter.value.mutable_grad() = testing::noise({4, 3}, 3);
  first.step(1);
  Parameter copy = one.parameter;
  copy.value = one.parameter.value.detach().clone().requires_grad_();
  AdamW second({copy}, {});
  second.load_state(first.state());
  for (Parameter parameter : {one.parameter, copy})
    parameter.value.mutable_grad() = testing::noise({4, 3}, 4);
  first.step(1);
  second.step(1);
  EXPECT_TRUE(torch::equal(one.parameter.value, copy.value));
  EXPECT_EQ(second.state().at("w.step").item<float>(), 2);
}

TEST(AdamW, RefusesAStateThatDoesNotFit) {
  Followed one = followed("w", {4, 3}, torch::kFloat32, 1);
  AdamW optimizer({one.parameter}, {});
  EXPECT_THROW(optimizer.load_state({{"other.exp_avg", torch::zeros({4, 3})}}), Error);
  EXPECT_THROW(optimizer.load_state({{"w.exp_avg", torch::zeros({4, 3})}}), Error);
  EXPECT_THROW(optimizer.load_state({{"w.exp_avg", torch::zeros({3})},
                                     {"w.exp_avg_sq", torch::zeros({3})},
                                     {"w.step", torch::zeros({})}}),
               Error);
}

TEST(Parameters, BiasesAndVectorsDoNotDecayAndSharedOnesCountOnce) {
  testing::ToyTrainee toy;
  auto modules = toy.modules();
  modules.push_back({.prefix = "again.", .module = toy.map});
  const auto parameters = collect_parameters(modules);
  ASSERT_EQ(parameters.size(), 4u);
  EXPECT_EQ(parameters[0].name, "toy.weight");
  EXPECT_TRUE(parameters[0].decays);
  EXPECT_EQ(parameters[1].name, "toy.bias");
  EXPECT_FALSE(parameters[1].decays);
  EXPECT_EQ(parameters[2].group, "scorer");
  EXPECT_EQ(parameters[2].learning_rate_scale, 0.5);
}

}  // namespace
}  // namespace tenfold::train

// Adafactor, LAMB, SGD and Adam without bias correction against their plain-loop definitions, and
// what all kinds share: state for checkpoints, exact resuming. Not here: reference traces
// (optimizer_golden_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/adafactor.h"
#include "train/adamw.h"
#include "train/lamb.h"
#include "train/sgd.h"
#include "train/toy.h"

namespace tenfold::train {
namespace {

std::vector<double> doubles_of(const Tensor& tensor) {
  const Tensor flat = tensor.detach().to(torch::kFloat64).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Parameter parameter_of(const std::string& name, std::vector<int64_t> shape, torch::Dtype dtype,
                       double scale = 1) {
  const Tensor value = testing::noise(shape, key_of_name(name), dtype).requires_grad_();
  return {.name = name, .value = value, .learning_rate_scale = scale, .decays = value.dim() > 1};
}

/// A matrix, a vector, a matrix with a rate of its own, three matrices in one tensor, and a matrix
/// of zeros.
std::vector<Parameter> some_parameters(torch::Dtype dtype) {
  std::vector<Parameter> all{
      parameter_of("a.weight", {33, 5}, dtype), parameter_of("a.bias", {33}, dtype),
      parameter_of("b.weight", {7, 4}, dtype, 0.25), parameter_of("c.weight", {3, 6, 5}, dtype),
      parameter_of("d.weight", {5, 5}, dtype)};
  torch::NoGradGuard no_grad;
  all.back().value.zero_();
  return all;
}

/// Gives every parameter the gradient of a step.
void set_gradients(const std::vector<Parameter>& parameters, int64_t step) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    Tensor value = parameters[i].value;
    value.mutable_grad() =
        testing::noise(value.sizes(), static_cast<uint64_t>(step) * 10 + i, value.scalar_type());
  }
}

/// Twelve steps of the fast form and of one plain-loop reference a parameter:
/// `update(reference, parameter, gradient, step, factor)`.
template <typename Reference, typename Update>
void follow(torch::Dtype dtype, double tolerance, const config::Choice& kind,
            const std::function<Reference(const Parameter&)>& begin, const Update& update) {
  const std::vector<Parameter> parameters = some_parameters(dtype);
  std::vector<Reference> references;
  for (const Parameter& parameter : parameters) references.push_back(begin(parameter));
  const auto optimizer = make_optimizer(kind, parameters);
  for (int64_t step = 1; step <= 12; ++step) {
    const double factor = 1.0 / static_cast<double>(step);
    set_gradients(parameters, step);
    for (size_t i = 0; i < parameters.size(); ++i) {
      update(references[i], parameters[i], doubles_of(parameters[i].value.grad()), step, factor);
    }
    optimizer->step(factor);
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto got = doubles_of(parameters[i].value);
      for (size_t k = 0; k < got.size(); ++k) {
        ASSERT_NEAR(got[k], references[i].value[k], tolerance)
            << kind.kind << " " << parameters[i].name << " step " << step;
      }
    }
  }
}

void follow_adafactor(const AdafactorOptions& options) {
  for (const auto& [dtype, tolerance] :
       {std::pair{torch::kFloat64, 1e-12}, {torch::kFloat32, 4e-6}}) {
    follow<AdafactorReference>(
        dtype, tolerance, config::Choice::of("adafactor", options),
        [&](const Parameter& parameter) {
          const Tensor& value = parameter.value;
          AdafactorReference reference{.value = doubles_of(value)};
          if (value.dim() < 2 || std::min(value.size(-1), value.size(-2)) < options.factor_from)
            return reference;
          reference.rows = static_cast<size_t>(value.size(-2));
          reference.columns = static_cast<size_t>(value.size(-1));
          return reference;
        },
        [&](AdafactorReference& reference, const Parameter& parameter,
            const std::vector<double>& gradient, int64_t step, double factor) {
          reference.update(gradient, step, factor * parameter.learning_rate_scale,
                           parameter.decays ? options.weight_decay : 0, options);
        });
  }
}

TEST(Adafactor, EqualsThePlainLoops) {
  follow_adafactor({.learning_rate = 0.02, .factor_from = 0});
  follow_adafactor({.learning_rate = 0.02, .momentum = 0.9, .factor_from = 5, .weight_decay = 0.1});
  follow_adafactor({.learning_rate = 0.02, .scale_parameter = false, .factor_from = 128});
  follow_adafactor(
      {.relative_step = true, .decay_exponent = 0.5, .clip_threshold = 0.3, .factor_from = 0});
  follow_adafactor({.relative_step = true, .warmup_init = true, .factor_from = 0});
}

/// A rank-1 tensor of squares is what rows and columns can hold: both forms then agree (section 3
/// of the paper).
TEST(Adafactor, FactoredEqualsUnfactoredWhereTheSquaresHaveRankOne) {
  Parameter factored = parameter_of("w", {6, 4}, torch::kFloat64);
  Parameter whole = factored;
  whole.value = factored.value.detach().clone().requires_grad_();
  const Tensor gradient =
      at::outer(testing::noise({6}, 1, torch::kFloat64), testing::noise({4}, 2, torch::kFloat64));
  factored.value.mutable_grad() = gradient;
  whole.value.mutable_grad() = gradient;
  Adafactor(std::vector{factored}, {.factor_from = 0}).step(1);
  Adafactor(std::vector{whole}, {.factor_from = 128}).step(1);
  EXPECT_LE((factored.value - whole.value).abs().max().item<double>(), 1e-14);
}

TEST(Adafactor, NamesItsFactoredTensorsAndKeepsLittle) {
  const std::vector<Parameter> parameters{
      parameter_of("big.weight", {130, 128}, torch::kFloat32),
      parameter_of("narrow.weight", {130, 127}, torch::kFloat32),
      parameter_of("big.bias", {130}, torch::kFloat32)};
  Adafactor optimizer(parameters, {});
  set_gradients(parameters, 1);
  optimizer.step(1);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : optimizer.state()) names.push_back(name);
  EXPECT_THAT(names, ::testing::ElementsAre("big.bias.exp_avg_sq", "big.bias.step",
                                            "big.weight.exp_avg_sq_col",
                                            "big.weight.exp_avg_sq_row", "big.weight.step",
                                            "narrow.weight.exp_avg_sq", "narrow.weight.step"));
  EXPECT_EQ(optimizer.state().at("big.weight.exp_avg_sq_row").numel(), 130);
  EXPECT_EQ(optimizer.state().at("big.weight.exp_avg_sq_col").numel(), 128);
}

TEST(Adafactor, LogsTheRateOfTheNextUpdate) {
  const std::vector<Parameter> parameters{parameter_of("w", {3, 3}, torch::kFloat32)};
  Adafactor optimizer(parameters, {.relative_step = true, .warmup_init = true});
  for (int64_t step = 1; step <= 3; ++step) {
    EXPECT_DOUBLE_EQ(optimizer.learning_rate(), 1e-6 * static_cast<double>(step));
    set_gradients(parameters, step);
    optimizer.step(1);
  }
}

void follow_lamb(const LambOptions& options) {
  for (const auto& [dtype, tolerance] :
       {std::pair{torch::kFloat64, 1e-12}, {torch::kFloat32, 4e-6}}) {
    follow<LambReference>(
        dtype, tolerance, config::Choice::of("lamb", options),
        [](const Parameter& parameter) {
          const std::vector<double> zeros(static_cast<size_t>(parameter.value.numel()), 0.0);
          return LambReference{doubles_of(parameter.value), zeros, zeros};
        },
        [&](LambReference& reference, const Parameter& parameter,
            const std::vector<double>& gradient, int64_t step, double factor) {
          reference.update(gradient, step,
                           options.learning_rate * factor * parameter.learning_rate_scale,
                           parameter.decays ? options.weight_decay : 0,
                           parameter.decays || options.adapt_exempt, options);
        });
  }
}

TEST(Lamb, EqualsThePlainLoops) {
  follow_lamb({.learning_rate = 0.02, .weight_decay = 0.1});
  follow_lamb({.learning_rate = 0.02, .bias_correction = false, .adapt_exempt = false});
  follow_lamb({.learning_rate = 0.02, .weight_decay = 0, .norm_low = 0.5, .norm_high = 3});
}

/// On paper: the first step with bias correction and no epsilon is g / |g| = 1 in every place, so
/// |u| = 2 for four numbers; |x| = 4; the weights move by rate * 4 / 2.
TEST(Lamb, TheFirstStepIsThatOfThePaper) {
  Parameter one{.name = "w", .value = torch::full({2, 2}, 2.0).requires_grad_()};
  one.value.mutable_grad() = torch::full({2, 2}, 0.3);
  Lamb(std::vector{one}, {.learning_rate = 0.1, .epsilon = 0, .weight_decay = 0}).step(1);
  EXPECT_LE((one.value - (2 - 0.1 * 2)).abs().max().item<double>(), 1e-6);
}

TEST(AdamW, WithoutBiasCorrectionEqualsThePlainLoops) {
  const AdamWOptions options{.learning_rate = 0.02, .weight_decay = 0.1, .bias_correction = false};
  for (const auto& [dtype, tolerance] :
       {std::pair{torch::kFloat64, 1e-12}, {torch::kFloat32, 4e-6}}) {
    follow<AdamWReference>(
        dtype, tolerance, config::Choice::of("adamw", options),
        [](const Parameter& parameter) {
          const std::vector<double> zeros(static_cast<size_t>(parameter.value.numel()), 0.0);
          return AdamWReference{doubles_of(parameter.value), zeros, zeros};
        },
        [&](AdamWReference& reference, const Parameter& parameter,
            const std::vector<double>& gradient, int64_t step, double factor) {
          reference.update(gradient, step, 0.02 * factor * parameter.learning_rate_scale,
                           parameter.decays ? 0.1 : 0, options);
        });
  }
}

/// On paper: g = 1 throughout, so the buffer is 1, then 1.5; looking ahead moves by 1 + 0.5, then
/// 1 + 0.75.
TEST(Sgd, MomentumDecayAndLookingAhead) {
  const auto moved = [](const SgdOptions& options, bool decays) {
    Parameter one{
        .name = "w", .value = torch::full({2, 2}, 4.0).requires_grad_(), .decays = decays};
    Sgd optimizer({one}, options);
    for (int step = 0; step < 2; ++step) {
      one.value.mutable_grad() = torch::ones({2, 2});
      optimizer.step(1);
    }
    return one.value[1][1].item<double>();
  };
  EXPECT_NEAR(moved({.learning_rate = 0.1, .momentum = 0.5}, true), 4 - 0.1 * 2.5, 1e-6);
  EXPECT_NEAR(moved({.learning_rate = 0.1, .momentum = 0.5, .nesterov = true}, true),
              4 - 0.1 * (1.5 + 1.75), 1e-6);
  const SgdOptions plain{.learning_rate = 0.1, .momentum = 0, .weight_decay = 0.5};
  EXPECT_NEAR(moved(plain, true), (4 - 0.1 * 3) - 0.1 * (1 + 0.5 * 3.7), 1e-6);
  EXPECT_NEAR(moved(plain, false), 4 - 0.2, 1e-6);
}

std::vector<config::Choice> every_kind() {
  return {config::Choice::of("adamw", AdamWOptions{}),
          config::Choice::of("adamw", AdamWOptions{.bias_correction = false}),
          config::Choice::of("adafactor", AdafactorOptions{.factor_from = 0}),
          config::Choice::of("adafactor", AdafactorOptions{.relative_step = true, .momentum = 0.9}),
          config::Choice::of("lamb", LambOptions{}),
          config::Choice::of("sgd", SgdOptions{})};
}

TEST(Optimizers, StateGoesToAnotherOneBitByBit) {
  for (const config::Choice& kind : every_kind()) {
    const std::vector<Parameter> parameters = some_parameters(torch::kFloat32);
    const auto first = make_optimizer(kind, parameters);
    for (int64_t step = 1; step <= 3; ++step) {
      set_gradients(parameters, step);
      first->step(1);
    }
    std::vector<Parameter> copies = parameters;
    for (Parameter& copy : copies) copy.value = copy.value.detach().clone().requires_grad_();
    const auto second = make_optimizer(kind, copies);
    second->load_state(first->state());
    EXPECT_EQ(first->learning_rate(), second->learning_rate());
    set_gradients(parameters, 4);
    set_gradients(copies, 4);
    first->step(1);
    second->step(1);
    for (size_t i = 0; i < copies.size(); ++i) {
      EXPECT_TRUE(torch::equal(parameters[i].value, copies[i].value))
          << kind.kind << " " << copies[i].name;
    }
    EXPECT_EQ(first->state().size(), second->state().size());
  }
}

TEST(Optimizers, AParameterWithoutGradientStaysAsItIsAndHasNoState) {
  for (const config::Choice& kind : every_kind()) {
    const Parameter one = parameter_of("w", {2, 2}, torch::kFloat32);
    const auto optimizer = make_optimizer(kind, {one});
    const Tensor before = one.value.detach().clone();
    optimizer->step(1);
    EXPECT_TRUE(torch::equal(before, one.value)) << kind.kind;
    EXPECT_TRUE(optimizer->state().empty()) << kind.kind;
  }
}

TEST(Optimizers, RefuseAStateThatDoesNotFit) {
  const auto refusal = [](const config::Choice& kind, const TensorsByName& state) -> std::string {
    const auto optimizer = make_optimizer(kind, {parameter_of("w", {4, 3}, torch::kFloat32)});
    try {
      optimizer->load_state(state);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::checkpoint ? error.what() : "another kind of error";
    }
    return "";
  };
  for (const config::Choice& kind : every_kind()) {
    EXPECT_THAT(refusal(kind, {{"other.step", torch::zeros({})}}), ::testing::HasSubstr("only 0"))
        << kind.kind;
  }
  const auto adafactor = config::Choice::of("adafactor", AdafactorOptions{.factor_from = 0});
  EXPECT_THAT(refusal(adafactor, {{"w.step", torch::zeros({}, torch::kInt64)}}),
              ::testing::HasSubstr("'w' is incomplete: it has no exp_avg_sq_row"));
  EXPECT_THAT(refusal(adafactor, {{"w.step", torch::zeros({}, torch::kInt64)},
                                  {"w.exp_avg_sq_row", torch::zeros({3})},
                                  {"w.exp_avg_sq_col", torch::zeros({3})}}),
              ::testing::HasSubstr("'w' has another shape"));
  EXPECT_THAT(refusal(config::Choice::of("sgd", SgdOptions{}), {{"w.momentum", torch::zeros({4})}}),
              ::testing::HasSubstr("another shape"));
}

TEST(Optimizers, RefuseOptionsThatContradictEachOther) {
  EXPECT_THROW(AdafactorOptions{.warmup_init = true}.validate("here"), Error);
  EXPECT_THROW((LambOptions{.norm_low = 2, .norm_high = 1}.validate("here")), Error);
  EXPECT_THROW((SgdOptions{.momentum = 0, .nesterov = true}.validate("here")), Error);
}

}  // namespace
}  // namespace tenfold::train

// The optimizers, schedule and clipping together against traces of independent implementations.
// Not here: the plain-loop definition (the tests of each kind).
#include <gtest/gtest.h>

#include "golden.h"
#include "tensor/safetensors_tensors.h"
#include "train/adafactor.h"
#include "train/adamw.h"
#include "train/clip.h"
#include "train/schedule.h"
#include "train/sgd.h"

namespace tenfold::train {
namespace {

/// A problem of a trace in one precision: its tensors by short name.
class Trace {
 public:
  Trace(const std::string& file, std::string prefix)
      : file_(SafetensorsFile::open(tenfold::testing::shared_path("goldens/optim/" + file))),
        prefix_(std::move(prefix)) {}
  Tensor at(const std::string& name) const { return file_.tensor(prefix_ + name); }

 private:
  SafetensorsFile file_;
  std::string prefix_;
};

struct Recipe {
  std::string file;
  config::Choice optimizer;
  double clip = 0;
  Schedule schedule = constant_schedule(0);
  bool rates_stored = true;
};

/// Replays the stored gradients and compares every parameter after every step.
void replay(const Recipe& recipe, const std::string& prefix, const std::vector<std::string>& names,
            double tolerance) {
  const Trace trace(recipe.file, prefix);
  std::vector<Parameter> parameters;
  for (const std::string& name : names) {
    parameters.push_back({.name = name,
                          .value = trace.at("init." + name).clone().requires_grad_(),
                          .decays = !name.starts_with("b")});
  }
  const auto optimizer = make_optimizer(recipe.optimizer, parameters);
  for (int64_t step = 0; step < 20; ++step) {
    for (Parameter& parameter : parameters) {
      parameter.value.mutable_grad() = trace.at("grad." + parameter.name)[step].clone();
    }
    if (recipe.clip > 0) {
      const double norm = gradient_norm(parameters).item<double>();
      ASSERT_NEAR(norm, trace.at("grad_norm")[step].item<double>(), tolerance);
      clip_gradients(parameters, norm, recipe.clip);
    }
    const double factor = recipe.schedule(step);
    if (recipe.rates_stored) {
      ASSERT_NEAR(optimizer->learning_rate() * factor, trace.at("lr")[step].item<double>(), 1e-12);
    }
    optimizer->step(factor);
    for (const Parameter& parameter : parameters) {
      const Tensor want = trace.at("step." + parameter.name)[step];
      ASSERT_LE((parameter.value - want).abs().max().item<double>(), tolerance)
          << recipe.file << " " << prefix << parameter.name << " step " << step;
    }
  }
  tenfold::testing::compared_goldens(20 * names.size());
}

void replay_all(const Recipe& recipe) {
  replay(recipe, "quadratic.f64.", {"p"}, 1e-10);
  replay(recipe, "quadratic.f32.", {"p"}, 1e-4);
  replay(recipe, "mlp.f64.", {"w1", "b1", "w2", "b2", "t"}, 1e-10);
  replay(recipe, "mlp.f32.", {"w1", "b1", "w2", "b2", "t"}, 1e-4);
}

TEST(OptimizerGolden, AdamWWithDecayGroups) {
  TENFOLD_COMPARES_GOLDENS();
  replay_all({.file = "adamw.safetensors",
              .optimizer = config::Choice::of(
                  "adamw", AdamWOptions{.learning_rate = 0.05, .weight_decay = 0.1})});
}

TEST(OptimizerGolden, AdamWWithScheduleAndClipping) {
  TENFOLD_COMPARES_GOLDENS();
  replay_all({.file = "adamw-schedule-clip.safetensors",
              .optimizer = config::Choice::of(
                  "adamw",
                  AdamWOptions{
                      .learning_rate = 0.1, .beta2 = 0.98, .epsilon = 1e-6, .weight_decay = 0.01}),
              .clip = 0.5,
              .schedule = linear_schedule(4, 20)});
}

TEST(OptimizerGolden, AdamWithoutBiasCorrection) {
  TENFOLD_COMPARES_GOLDENS();
  replay_all({.file = "adam-no-correction.safetensors",
              .optimizer = config::Choice::of("adamw", AdamWOptions{.learning_rate = 0.01,
                                                                    .epsilon = 1e-6,
                                                                    .weight_decay = 0.01,
                                                                    .bias_correction = false})});
}

TEST(OptimizerGolden, SgdWithMomentumAndClipping) {
  TENFOLD_COMPARES_GOLDENS();
  replay_all({.file = "sgd-clip.safetensors",
              .optimizer = config::Choice::of("sgd", SgdOptions{.learning_rate = 0.05}),
              .clip = 0.2});
}

/// The reference factors every tensor of two axes or more.
void replay_adafactor(const std::string& name, AdafactorOptions options) {
  options.factor_from = 0;
  replay_all({.file = "adafactor-" + name + ".safetensors",
              .optimizer = config::Choice::of("adafactor", options),
              .rates_stored = !options.relative_step});
}

TEST(OptimizerGolden, AdafactorWithItsOwnRates) {
  TENFOLD_COMPARES_GOLDENS();
  replay_adafactor("relative", {.relative_step = true});
  replay_adafactor("relative-warmup", {.relative_step = true, .warmup_init = true});
  replay_adafactor("relative-noscale", {.scale_parameter = false, .relative_step = true});
}

TEST(OptimizerGolden, AdafactorWithFixedRates) {
  TENFOLD_COMPARES_GOLDENS();
  replay_adafactor("fixed", {.learning_rate = 0.02, .scale_parameter = false});
  replay_adafactor("fixed-scale", {.learning_rate = 0.05});
  replay_adafactor("momentum-decay", {.learning_rate = 0.05, .momentum = 0.9, .weight_decay = 0.1});
}

TEST(OptimizerGolden, Clipping) {
  TENFOLD_COMPARES_GOLDENS();
  const SafetensorsFile file =
      SafetensorsFile::open(tenfold::testing::shared_path("goldens/optim/clip.safetensors"));
  for (int number = 0; number < 5; ++number) {
    const std::string prefix = std::to_string(number) + ".";
    std::vector<Parameter> parameters;
    for (int i = 0; i < 3; ++i) {
      const Tensor gradient = file.tensor(prefix + "before." + std::to_string(i)).clone();
      parameters.push_back(
          {.name = std::to_string(i), .value = torch::zeros_like(gradient).requires_grad_()});
      parameters.back().value.mutable_grad() = gradient;
    }
    const double norm = gradient_norm(parameters).item<double>();
    const double want_norm = file.tensor(prefix + "norm").item<double>();
    EXPECT_NEAR(norm, want_norm, 1e-6 * want_norm);
    clip_gradients(parameters, norm, file.tensor(prefix + "limit").item<double>());
    for (int i = 0; i < 3; ++i) {
      const Tensor want = file.tensor(prefix + "after." + std::to_string(i));
      EXPECT_TRUE(at::allclose(parameters[static_cast<size_t>(i)].value.grad(), want, 1e-5, 1e-7))
          << prefix << i;
    }
  }
  tenfold::testing::compared_goldens(5 * 4);
}

}  // namespace
}  // namespace tenfold::train

// AdamW, schedule and clipping together against traces of independent implementations.
// Not here: the plain-loop definition (adamw_test.cpp).
#include <gtest/gtest.h>

#include "golden.h"
#include "tensor/safetensors_tensors.h"
#include "train/adamw.h"
#include "train/clip.h"
#include "train/schedule.h"

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
  AdamWOptions options;
  double clip = 0;
  Schedule schedule;
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
  AdamW optimizer(parameters, recipe.options);
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
    ASSERT_NEAR(recipe.options.learning_rate * factor, trace.at("lr")[step].item<double>(), 1e-12);
    optimizer.step(factor);
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
              .options = {.learning_rate = 0.05, .weight_decay = 0.1},
              .schedule = constant_schedule(0)});
}

TEST(OptimizerGolden, AdamWWithScheduleAndClipping) {
  TENFOLD_COMPARES_GOLDENS();
  replay_all(
      {.file = "adamw-schedule-clip.safetensors",
       .options = {.learning_rate = 0.1, .beta2 = 0.98, .epsilon = 1e-6, .weight_decay = 0.01},
       .clip = 0.5,
       .schedule = linear_schedule(4, 20)});
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

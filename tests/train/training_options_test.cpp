// Freezing by name, layer-wise rates and averages of the weights, by themselves and in runs.
// Not here: the optimizers (optimizers_test.cpp) or the loop itself (trainer_test.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/mlm_objective.h"
#include "tensor/safetensors_tensors.h"
#include "train/accumulate.h"
#include "train/adamw.h"
#include "train/freeze.h"
#include "train/layer_decay.h"
#include "train/run_state.h"
#include "train/toy.h"
#include "train/trainer.h"
#include "train/weight_average.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ScratchFolder;
using testing::ToyStream;
using testing::ToyTrainee;

/// A run of the toy whose validation is the size of the weights it sees.
struct OptionsRun : testing::ToySetup {
  std::vector<double> validated = {};

  OptionsRun() {
    options.steps = 20;
    options.save_every = 0;
    options.tensorboard = false;
    options.optimizer = config::Choice::of("adamw", AdamWOptions{.learning_rate = 0.05});
  }

  TrainOutcome train(const fs::path& run) {
    TrainSetup all = setup(run);
    all.validate = [this] {
      validated.push_back(size());
      return Metrics{{"loss", size()}};
    };
    return run_training(all);
  }
};

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind() == ErrorKind::config ? error.what() : "another kind of error";
  }
  return "";
}

std::vector<std::string> trained_names(const std::vector<std::string>& patterns) {
  ToyTrainee toy;
  const auto modules = toy.modules();
  freeze(modules, patterns);
  std::vector<std::string> names;
  for (const Parameter& parameter : collect_parameters(modules)) names.push_back(parameter.name);
  return names;
}

TEST(Freeze, MatchesWholeNamesAndThoseOfTheModelWithoutItsPrefix) {
  using ::testing::ElementsAre;
  EXPECT_THAT(trained_names({}),
              ElementsAre("toy.weight", "toy.bias", "scorer.weight", "scorer.bias"));
  EXPECT_THAT(trained_names({"weight"}), ElementsAre("toy.bias", "scorer.weight", "scorer.bias"));
  EXPECT_THAT(trained_names({"toy.*"}), ElementsAre("scorer.weight", "scorer.bias"));
  EXPECT_THAT(trained_names({"*.bias", "toy.[v-x]eight"}), ElementsAre("scorer.weight"));
}

TEST(Freeze, APatternThatMatchesNothingNamesTheNearest) {
  const std::string message = message_of([] { trained_names({"toy.*", "scorer.wieght"}); });
  EXPECT_THAT(message, HasSubstr("'scorer.wieght' matches no parameter"));
  EXPECT_THAT(message, HasSubstr("the nearest are scorer.weight"));
}

TEST(Freeze, FrozenParametersStayHaveNoStateAndSomethingMustBeLeft) {
  ScratchFolder folder;
  OptionsRun run;
  run.options.freeze = {"weight", "scorer.bias"};
  const Tensor weight = run.toy.map->weight.detach().clone();
  const Tensor bias = run.toy.map->bias.detach().clone();
  run.train(folder.path());
  EXPECT_TRUE(torch::equal(weight, run.toy.map->weight));
  EXPECT_FALSE(torch::equal(bias, run.toy.map->bias));
  EXPECT_FALSE(run.toy.map->weight.grad().defined());
  const auto state = read_state_tensors(folder.path() / "latest", kOptimizerFile);
  EXPECT_EQ(state.size(), 2u * 3);
  EXPECT_TRUE(state.contains("toy.bias.exp_avg"));
  EXPECT_TRUE(state.contains("scorer.weight.exp_avg"));
  OptionsRun nothing;
  nothing.options.freeze = {"*"};
  EXPECT_THAT(message_of([&] { nothing.train(folder.path() / "none"); }),
              HasSubstr("every parameter is frozen"));
}

/// Two layers under a masked-language-model head, and a batch of two rows.
struct SmallModel {
  std::shared_ptr<model::Encoder> encoder;
  std::shared_ptr<model::MlmHead> head;
  data::Batch batch;

  SmallModel() {
    model::EncoderConfig config;
    config.vocab_size = 30;
    config.num_hidden_layers = 2;
    config.hidden_size = 16;
    config.num_attention_heads = 2;
    config.intermediate_size = 32;
    config.max_position_embeddings = 8;
    const auto tensors = torch::TensorOptions().dtype(torch::kFloat);
    encoder = std::make_shared<model::Encoder>(config, model::Pooler::none, 3, tensors);
    head = std::make_shared<model::MlmHead>(config, 4, tensors);
    data::TokenBlock block;
    block.layout = SequenceLayout::of_lengths({5, 3});
    block.ids_T = torch::tensor({2, 7, 4, 9, 3, 2, 11, 3}, torch::kInt64);
    batch.example_ids = {0, 1};
    batch.inputs.emplace("tokens", std::move(block));
    batch.fields.emplace("predicted_T", torch::tensor({2, 6}, torch::kInt64));
    batch.fields.emplace("label_ids", torch::tensor({8, 12}, torch::kInt64));
    batch.denominators["mlm"] = 2;
  }

  std::map<std::string, Tensor> gradients(const std::vector<std::string>& patterns) {
    model::MlmObjective objective(head);
    EncoderTrainee trainee(encoder, objective);
    freeze(trainee.modules(), patterns);
    accumulate_gradients(trainee, {batch}, {.training = true, .seed = 1, .step = 2});
    std::map<std::string, Tensor> found;
    for (const model::OwnedModule& owner : trainee.modules()) {
      for (const auto& item : owner.module->named_parameters()) {
        if (item.value().grad().defined()) found[owner.prefix + item.key()] = item.value().grad();
      }
    }
    return found;
  }
};

TEST(Freeze, WhatStaysTrainableInAnEncoderHasTheGradientsOfTheWholeModel) {
  const auto whole = SmallModel().gradients({});
  const auto upper = SmallModel().gradients({"embeddings.*", "encoder.layer.[0-0].*"});
  EXPECT_GT(upper.size(), 10u);
  for (const auto& [name, gradient] : upper) {
    EXPECT_THAT(name, Not(HasSubstr("embeddings")));
    EXPECT_THAT(name, Not(HasSubstr("layer.0")));
    EXPECT_TRUE(at::allclose(gradient, whole.at(name), 1e-5, 1e-7)) << name;
  }
  const auto norms = SmallModel().gradients({"*[!m].weight", "*.bias"});
  ASSERT_FALSE(norms.empty());
  for (const auto& [name, gradient] : norms) {
    EXPECT_THAT(name, HasSubstr("LayerNorm.weight"));
    EXPECT_TRUE(at::allclose(gradient, whole.at(name), 1e-5, 1e-7)) << name;
  }
}

/// Scale of every name, with layers of an encoder of `layers` and one head.
std::map<std::string, double> scales_of(int64_t layers, const LayerDecay& decay) {
  std::vector<Parameter> parameters;
  const auto add = [&](const std::string& name, double scale = 1) {
    parameters.push_back({.name = name, .value = {}, .learning_rate_scale = scale});
  };
  add("bert.embeddings.word_embeddings.weight");
  add("bert.embeddings_project.weight");
  for (int64_t i = 0; i < layers; ++i)
    add("bert.encoder.layer." + std::to_string(i) + ".output.dense.weight");
  add("bert.pooler.dense.weight");
  add("classifier.weight");
  add("scorer.weight", 0.5);
  scale_by_depth(parameters, decay);
  std::map<std::string, double> scales;
  for (const Parameter& parameter : parameters)
    scales[parameter.name] = parameter.learning_rate_scale;
  return scales;
}

std::string layer_name(int64_t i) {
  return "bert.encoder.layer." + std::to_string(i) + ".output.dense.weight";
}

TEST(LayerDecay, EvenDepthsCountOneFactorALayer) {
  const auto scales = scales_of(3, {.factor = 0.5});
  EXPECT_EQ(scales,
            (std::map<std::string, double>{{"bert.embeddings.word_embeddings.weight", 0.0625},
                                           {"bert.embeddings_project.weight", 0.0625},
                                           {layer_name(0), 0.125},
                                           {layer_name(1), 0.25},
                                           {layer_name(2), 0.5},
                                           {"bert.pooler.dense.weight", 1},
                                           {"classifier.weight", 1},
                                           {"scorer.weight", 0.5}}));
}

/// google-research/electra's rule at the layers and factors of its base and large models.
TEST(LayerDecay, ElectraDepthsAreThoseOfItsRelease) {
  const auto base = scales_of(12, {.factor = 0.8, .depths = Depths::electra});
  for (int64_t i = 0; i < 12; ++i)
    EXPECT_DOUBLE_EQ(base.at(layer_name(i)), std::pow(0.8, static_cast<double>(13 - i))) << i;
  EXPECT_NEAR(base.at(layer_name(11)), 0.64, 1e-12);
  EXPECT_NEAR(base.at(layer_name(0)), 0.055, 5e-4);
  EXPECT_NEAR(base.at("bert.embeddings.word_embeddings.weight"), 0.044, 5e-4);
  EXPECT_NEAR(base.at("bert.embeddings_project.weight"), 0.044, 5e-4);
  EXPECT_EQ(base.at("bert.pooler.dense.weight"), 0.8);
  EXPECT_EQ(base.at("classifier.weight"), 1);
  const auto large = scales_of(24, {.factor = 0.9, .depths = Depths::electra});
  EXPECT_NEAR(large.at(layer_name(23)), 0.81, 1e-12);
  EXPECT_NEAR(large.at(layer_name(0)), 0.072, 5e-4);
  EXPECT_NEAR(large.at("bert.embeddings.word_embeddings.weight"), 0.065, 5e-4);
}

TEST(LayerDecay, TwoEncodersHaveDepthsOfTheirOwn) {
  std::vector<Parameter> parameters;
  for (const char* name :
       {"electra.encoder.layer.1.output.dense.bias", "generator.encoder.layer.0.output.dense.bias",
        "generator.embeddings.LayerNorm.bias", "electra.embeddings.LayerNorm.bias"})
    parameters.push_back({.name = name, .value = {}});
  scale_by_depth(parameters, {.factor = 0.5});
  EXPECT_EQ(parameters[0].learning_rate_scale, 0.5);
  EXPECT_EQ(parameters[1].learning_rate_scale, 0.5);
  EXPECT_EQ(parameters[2].learning_rate_scale, 0.25);
  EXPECT_EQ(parameters[3].learning_rate_scale, 0.125);
}

TEST(LayerDecay, AModelWithoutLayersIsRefusedByName) {
  ScratchFolder folder;
  OptionsRun run;
  run.options.layer_decay.factor = 0.9;
  EXPECT_THAT(message_of([&] { run.train(folder.path()); }),
              HasSubstr("train.layer_decay] no trained parameter belongs to a layer"));
}

/// Keeps the weight after every update, the one before the first included.
struct Recorder final : Hook {
  explicit Recorder(ToyTrainee& trainee) : toy(trainee) { keep(); }
  std::string name() const override { return "recorder"; }
  Wish after_step(const StepReport&) override {
    keep();
    return Wish::go_on;
  }
  void keep() { weights.push_back(toy.map->weight.detach().to(torch::kFloat64)); }
  ToyTrainee& toy;
  std::vector<Tensor> weights;
};

/// w_start d_1 ... d_T + sum over n of (1 - d_n) w_n d_(n+1) ... d_T.
Tensor closed_form(const std::vector<Tensor>& weights, const AverageOptions& options) {
  const auto last = static_cast<int64_t>(weights.size()) - 1 - options.start;
  const auto decay = [&](int64_t n) {
    const auto count = static_cast<double>(n);
    return options.warmup ? std::min(options.decay, (1 + count) / (10 + count)) : options.decay;
  };
  Tensor sum = torch::zeros_like(weights[0]);
  for (int64_t n = 0; n <= last; ++n) {
    double share = n == 0 ? 1 : 1 - decay(n);
    for (int64_t later = n + 1; later <= last; ++later) share *= decay(later);
    sum += weights[static_cast<size_t>(options.start + n)] * share;
  }
  return sum;
}

TEST(Average, EqualsTheClosedForm) {
  for (const AverageOptions& ema : {AverageOptions{.decay = 0.9, .model = false},
                                    {.decay = 0.7, .start = 6, .model = false},
                                    {.decay = 0.8, .warmup = true, .model = false}}) {
    ScratchFolder folder;
    OptionsRun run;
    run.options.ema = ema;
    Recorder recorder(run.toy);
    run.hooks = {&recorder};
    run.train(folder.path());
    const auto state = read_state_tensors(folder.path() / "latest", kAverageFile);
    EXPECT_EQ(state.at("ema.updates").item<int64_t>(), 20);
    const Tensor want = closed_form(recorder.weights, ema);
    EXPECT_LE((state.at("toy.weight.average") - want).abs().max().item<double>(), 1e-6);
    EXPECT_GT((run.toy.map->weight - want).abs().max().item<double>(), 1e-3);
  }
}

TEST(Average, IsValidatedAndWrittenAsTheModelAndTheTrainedWeightsGoOn) {
  ScratchFolder folder;
  OptionsRun plain;
  plain.train(folder.path() / "plain");
  OptionsRun averaged;
  averaged.options.ema = {.decay = 0.9};
  averaged.options.validate_every = 5;
  Recorder recorder(averaged.toy);
  averaged.hooks = {&recorder};
  averaged.train(folder.path() / "averaged");
  EXPECT_EQ(averaged.toy.bits(), plain.toy.bits());
  ASSERT_EQ(averaged.validated.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const std::vector<Tensor> so_far(recorder.weights.begin(),
                                     recorder.weights.begin() + static_cast<long>(5 * i + 6));
    const Tensor want = closed_form(so_far, averaged.options.ema);
    EXPECT_NEAR(averaged.validated[i], want.square().sum().item<double>(), 1e-5);
  }
  ToyTrainee written;
  written.read(folder.path() / "averaged" / "latest");
  const Tensor want = closed_form(recorder.weights, averaged.options.ema);
  EXPECT_LE((written.map->weight - want).abs().max().item<double>(), 1e-6);
  ToyTrainee best;
  best.read(folder.path() / "averaged" / "best");
  EXPECT_NEAR(best.map->weight.square().sum().item<double>(),
              *std::min_element(averaged.validated.begin(), averaged.validated.end()), 1e-12);
}

/// At a save, between two, and before the averages begin.
TEST(Average, TwentyStepsEqualTenAndTenResumedBitForBit) {
  for (const auto& [stop_at, ema] : {std::pair{10, AverageOptions{.decay = 0.9}},
                                     {13, {.decay = 0.9, .model = false}},
                                     {10, {.decay = 0.9, .start = 12, .warmup = true}}}) {
    ScratchFolder folder;
    const auto run = [&](const fs::path& path, int stop, bool resume) {
      OptionsRun part;
      part.options.ema = ema;
      part.options.validate_every = part.options.save_every = 10;
      part.stop_at = stop;
      part.resume = resume;
      part.train(path);
      return part.toy.bits();
    };
    const std::string whole = run(folder.path() / "whole", 0, false);
    run(folder.path() / "cut", stop_at, false);
    EXPECT_EQ(run(folder.path() / "cut", 0, true), whole);
    for (const char* file : {"toy.bin", kOptimizerFile, kAverageFile}) {
      EXPECT_EQ(read_file(folder.path() / "cut" / "latest" / file, 1 << 20),
                read_file(folder.path() / "whole" / "latest" / file, 1 << 20))
          << file << " stopped at " << stop_at;
    }
    EXPECT_EQ(fs::read_symlink(folder.path() / "cut" / "best"),
              fs::read_symlink(folder.path() / "whole" / "best"));
  }
}

/// Spoils the losses of two updates.
struct TwoBadUpdates final : Hook {
  explicit TwoBadUpdates(ToyTrainee& trainee) : toy(trainee) {}
  std::string name() const override { return "two-bad-updates"; }
  void before_step(int64_t step) override { toy.spoil = step == 4 || step == 5 ? std::nan("") : 1; }
  ToyTrainee& toy;
};

TEST(Average, ASkippedUpdateDoesNotCount) {
  ScratchFolder folder;
  OptionsRun run;
  run.options.ema = {.decay = 0.9};
  TwoBadUpdates hook(run.toy);
  run.hooks = {&hook};
  EXPECT_EQ(run.train(folder.path()).skipped, 2);
  const auto state = read_state_tensors(folder.path() / "latest", kAverageFile);
  EXPECT_EQ(state.at("ema.updates").item<int64_t>(), 18);
}

TEST(Average, SaysItsMemoryAndRefusesAStateThatDoesNotFit) {
  const Parameter one{.name = "w", .value = torch::zeros({4, 3}).requires_grad_()};
  WeightAverage average({one}, {.decay = 0.9});
  EXPECT_EQ(average.bytes(), 48);
  const Tensor count = torch::zeros({}, torch::kInt64);
  EXPECT_THROW(average.load_state({}), Error);
  EXPECT_THROW(average.load_state({{"ema.updates", count}}), Error);
  EXPECT_THROW(average.load_state({{"ema.updates", count}, {"w.trained", torch::zeros({3})}}),
               Error);
  EXPECT_THROW(average.load_state({{"ema.updates", count},
                                   {"w.trained", torch::zeros({4, 3})},
                                   {"x.trained", torch::zeros({4, 3})}}),
               Error);
}

}  // namespace
}  // namespace tenfold::train

// Models with Synthesizer's attention: trained, written, read; recipes that cannot be built.
// Not here: the attention alone (synthesizer_test.cpp).
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "config/document.h"
#include "methods/methods.h"
#include "methods/synthesizer/synthesizer.h"
#include "model/mlm_objective.h"
#include "model/tiny_model.h"
#include "tensor/safetensors_tensors.h"
#include "train/accumulate.h"
#include "train/optimizer.h"
#include "train/trainee.h"

namespace tenfold::synthesizer {
namespace {

using model::testing::batch_of;

model::ModelDescription description_with(const SynthesizerOptions& options) {
  methods::register_all();
  model::ModelDescription description = model::testing::tiny_description();
  description.architecture = "BertForMaskedLM";
  description.encoder.initializer_range = 0.3;
  description.encoder.attention = config::Choice::of("synthesizer", options);
  return description;
}

/// Two updates; the losses before each and after both.
std::vector<double> train(const model::LoadedModel& model) {
  model::MlmObjective objective(model.mlm);
  train::EncoderTrainee trainee(model.encoder, objective);
  const auto parameters = train::collect_parameters(trainee.modules());
  const auto optimizer = train::make_optimizer({"adamw", nullptr}, parameters);
  std::vector<double> losses;
  for (uint64_t step = 0; step < 2; ++step) {
    const auto loss = train::accumulate_gradients(trainee, {batch_of({0, 1, 2, 3})},
                                                  {.training = true, .seed = 0, .step = step});
    losses.push_back(loss.means.item<double>());
    for (const train::Parameter& parameter : parameters)
      EXPECT_TRUE(parameter.value.grad().defined()) << parameter.name << " has no gradient";
    optimizer->step(30);
    train::clear_gradients(parameters);
  }
  const torch::NoGradGuard no_grad;
  losses.push_back(
      objective.step(*model.encoder, batch_of({0, 1, 2, 3}), {}).parts[0].sum.item<double>() / 4);
  return losses;
}

Tensor hidden_of(const model::LoadedModel& model) {
  const torch::NoGradGuard no_grad;
  return model.encoder->forward(batch_of({1, 5}).input("tokens"), PassContext::evaluation())
      .hidden_TD;
}

std::set<std::string> stored_names(const std::filesystem::path& folder) {
  std::set<std::string> names;
  const auto file = SafetensorsFile::open(folder / "model.safetensors");
  const std::string prefix = "bert.encoder.layer.0.attention.self.";
  for (const TensorEntry& entry : file.entries()) {
    if (entry.name.starts_with(prefix)) names.insert(entry.name.substr(prefix.size()));
  }
  return names;
}

TEST(SynthesizerModel, TrainsIsWrittenAndReadBackWithNothingUnused) {
  const std::map<std::string, std::set<std::string>> names_by_form{
      {"random", {"random"}},
      {"fixed_random", {"fixed_random"}},
      {"factorized_random", {"random_left", "random_right"}},
      {"factorized_dense",
       {"factor_a.weight", "factor_a.bias", "factor_b.weight", "factor_b.bias"}},
      {"dense",
       {"dense_hidden.weight", "dense_hidden.bias", "dense_scores.weight", "dense_scores.bias"}}};
  for (const auto& [form, own_names] : names_by_form) {
    SCOPED_TRACE(form);
    const model::LoadedModel made =
        model::make_model(description_with({.forms = {form}}), {.seed = 3});
    const Tensor fixed_before = made.encoder->named_buffers().is_empty()
                                    ? Tensor()
                                    : made.encoder->named_buffers().front().value().clone();
    const auto losses = train(made);
    EXPECT_LT(losses.back(), losses.front());
    if (fixed_before.defined()) {
      EXPECT_TRUE(torch::equal(fixed_before, made.encoder->named_buffers().front().value()));
    }
    const auto folder = model::testing::fresh_folder("synthesizer");
    model::write_model(folder, made.description, made.modules());
    std::set<std::string> expected = own_names;
    expected.insert({"value.weight", "value.bias"});
    EXPECT_EQ(stored_names(folder), expected);
    std::ifstream config(folder / "config.json");
    EXPECT_EQ(nlohmann::json::parse(config)["model_type"], "tenfold-bert");
    const model::LoadedModel read = model::load_model(folder, {.seed = 4});
    EXPECT_THAT(read.warnings, ::testing::IsEmpty());
    EXPECT_TRUE(torch::equal(hidden_of(made), hidden_of(read)));
    const model::LoadedModel mapped = model::load_model(folder, {.seed = 4, .map_weights = true});
    EXPECT_TRUE(torch::equal(hidden_of(made), hidden_of(mapped)));
  }
}

TEST(SynthesizerModel, MixturesKeepTheirOptionsAndWeights) {
  const SynthesizerOptions options{.forms = {"dot_product", "random", "dense"},
                                   .mixture_weights = MixtureWeights::layer,
                                   .max_length = 9};
  const model::LoadedModel made = model::make_model(description_with(options), {.seed = 3});
  train(made);
  const auto folder = model::testing::fresh_folder("synthesizer-mixture");
  model::write_model(folder, made.description, made.modules());
  const model::LoadedModel read = model::load_model(folder, {.seed = 4});
  EXPECT_TRUE(torch::equal(hidden_of(made), hidden_of(read)));
  const auto& stored = read.description.encoder.attention.as<SynthesizerOptions>();
  EXPECT_EQ(stored.forms, options.forms);
  EXPECT_EQ(stored.mixture_weights, MixtureWeights::layer);
  EXPECT_EQ(stored.max_length, 9);
  EXPECT_TRUE(stored_names(folder).contains("mixture.dot_product"));
}

TEST(SynthesizerModel, RowsThatRoundABatchUpAreNoLongerThanTheScores) {
  const model::LoadedModel made = model::make_model(description_with({}), {.seed = 3});
  const torch::NoGradGuard no_grad;
  const auto encode = [&](const std::vector<uint64_t>& ids) {
    return made.encoder->forward(batch_of(ids).input("tokens"), PassContext::evaluation())
        .hidden_TD;
  };
  const Tensor together = encode({2, 5, 8, 1, 4, 7});  // 33 rows, 7 short of the next kernel's
  EXPECT_LE((together.narrow(0, 6, 6) - encode({5})).abs().max().item<double>(), 1e-5);
}

/// What reading these options for a model of 12 positions says; empty: they are taken.
std::string refusal_of_recipe(const std::string& options) {
  methods::register_all();
  model::EncoderConfig encoder = model::testing::tiny_description().encoder;
  encoder.max_position_embeddings = 12;
  const std::string text =
      "attention.kind = \"synthesizer\"\n[attention.synthesizer]\n" + options + "\n";
  try {
    config::Document::parse(text, "recipe.toml")
        .read(encoder, {{"attention", nn::attention_table().choices()}});
    encoder.validate("model");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(SynthesizerModel, OptionsThatCannotBeBuiltAreRefusedWithTheRecipe) {
  using ::testing::HasSubstr;
  EXPECT_EQ(refusal_of_recipe("forms = [\"dense\"]"), "");
  EXPECT_EQ(refusal_of_recipe("forms = [\"factorized_dense\"]\nfactors = [4, 3]"), "");
  EXPECT_EQ(refusal_of_recipe("forms = [\"factorized_dense\"]\nfactors = [4, 3]\nmax_length = 12"),
            "");
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"max_length = 11",
       "'synthesizer' attention is built for at most 11 tokens, but the model "
       "takes 12"},
      {"rank = 0", "rank"},
      {"forms = []", "forms must name at least one form"},
      {"forms = [\"randm\"]", "random"},
      {"forms = [\"random\", \"random\"]", "forms names 'random' twice"},
      {"forms = [\"dot_product\"]", "which is 'softmax' attention"},
      {"forms = [\"factorized_dense\"]\nfactors = [5, 3]\nmax_length = 16",
       "factors must multiply to max_length: 5 * 3 is 15, not 16"},
      {"forms = [\"factorized_dense\"]\nfactors = [3, 3]",
       "'synthesizer' attention is built for at most 9 tokens"},
      {"forms = [\"factorized_dense\"]\nfactors = [12]", "factors must be two numbers, got 1"},
      {"forms = [\"factorized_dense\"]\nfactors = [0, 12]", "factors"},
      {"factors = [4, 3]", "which forms does not name"},
      {"mixture = \"mean\"", "sum"},
      {"index = \"repeat\"", "tile_repeat"},
      {"deviation = -1.0", "deviation"}};
  for (const auto& [options, message] : wrong)
    EXPECT_THAT(refusal_of_recipe(options), HasSubstr(message)) << options;
}

}  // namespace
}  // namespace tenfold::synthesizer

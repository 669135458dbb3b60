// RealFormer as a model's configuration: what a recipe may say, what is refused with its reason,
// and what config.json keeps. Not here: the mathematics (tests/nn/carried_scores_test.cpp).
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/reader.h"
#include "config/writer.h"
#include "methods/methods.h"
#include "model/checkpoint.h"
#include "model/config.h"
#include "nn/attention_table.h"
#include "support/fail.h"

namespace tenfold::model {
namespace {

/// The [model] of a recipe.
EncoderConfig read_model(const std::string& toml) {
  methods::register_all();
  EncoderConfig config;
  config::Document::parse(toml, "recipe.toml")
      .read(config, {{"attention", nn::attention_table().choices()}});
  return config;
}

std::string refusal_of(const std::string& toml) {
  try {
    read_model(toml);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(RealFormer, IsASwitchOfTheModelOrOfARunOfLayers) {
  const nn::StackSpec whole = read_model("residual_attention = true\nresidual_mean = true").stack();
  ASSERT_EQ(whole.runs.size(), 1U);
  EXPECT_TRUE(whole.runs[0].residual_attention && whole.runs[0].residual_mean);
  const nn::StackSpec runs =
      read_model(
          "num_hidden_layers = 5\n[[layers]]\ncount = 2\n[[layers]]\ncount = "
          "3\nresidual_attention = true")
          .stack();
  EXPECT_FALSE(runs.runs[0].residual_attention);
  EXPECT_TRUE(runs.runs[1].residual_attention);
  EXPECT_FALSE(runs.runs[1].residual_mean);
}

TEST(RealFormer, KindsWithoutScoresAreRefusedWithTheReason) {
  methods::register_all();
  for (const nn::AttentionKind& kind : nn::attention_table().kinds()) {
    const nn::AttentionTraits traits = kind.traits(*kind.options());
    const std::string recipe = "attention = \"" + kind.name + "\"\nresidual_attention = true\n";
    if (traits.exposes_scores && traits.carry) {
      EXPECT_EQ(refusal_of(recipe), "accepted") << kind.name;
      const std::string mean = refusal_of(recipe + "residual_mean = true\n");
      if (traits.carry_mean) {
        EXPECT_EQ(mean, "accepted") << kind.name;
      } else {
        EXPECT_NE(mean.find("carries the sum of scores alone"), std::string::npos) << mean;
      }
    } else {
      const std::string refused = refusal_of(recipe);
      EXPECT_NE(refused.find("'" + kind.name + "' attention never forms scores"), std::string::npos)
          << refused;
      EXPECT_NE(refused.find("recipe.toml"), std::string::npos) << refused;
    }
  }
}

TEST(RealFormer, AMeanOfNothingCarriedIsRefused) {
  const std::string refused = refusal_of("residual_mean = true");
  EXPECT_NE(refused.find("residual_mean divides what residual_attention carries, which is off"),
            std::string::npos)
      << refused;
}

TEST(RealFormer, ConfigJsonKeepsIt) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("tenfold-realformer-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  for (const bool mean : {false, true}) {
    ModelDescription description;
    description.encoder = read_model("residual_attention = true");
    description.encoder.residual_mean = mean;
    std::ofstream(folder / "config.json") << description_json(description);
    const ModelDescription back = read_description(folder);
    EXPECT_TRUE(back.encoder.residual_attention);
    EXPECT_EQ(back.encoder.residual_mean, mean);
    EXPECT_NE(back.stored_config.find("tenfold-bert"), std::string::npos)
        << "stock readers must not take it for BERT";
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tenfold::model

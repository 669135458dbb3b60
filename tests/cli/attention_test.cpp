// Models that carry scores through every command, and what shows how they attend: metrics of
// validations, `inspect --attention`. Not here: the figures
// (tests/nn/attention_statistics_test.cpp).
#include <nlohmann/json.hpp>

#include "program.h"

namespace tenfold::testing {
namespace {

using nlohmann::json;

class Attention : public ProgramTest {
 protected:
  /// The line of the last validation in RUN's metrics.jsonl.
  json last_validation(const std::string& run) const {
    std::ifstream file(at(run + "/metrics.jsonl"));
    json last;
    for (std::string line; std::getline(file, line);) {
      const json object = json::parse(line);
      if (object.contains("eval")) last = object.at("eval");
    }
    return last;
  }
};

const std::string kMean =
    "--set model.residual_attention=true --set model.residual_mean=true "
    "--set train.attention_metrics=true ";

TEST_F(Attention, CarriedScoresTrainTuneAndPredict) {
  make_shards();
  make_recipe();
  const Ran trained = run(pretrain("mlm", kMean + "--set train.gradient_checkpointing=true"));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const json shape = json::parse(slurp(at("mlm/latest/config.json")));
  EXPECT_EQ(shape.at("model_type"), "tenfold-bert");
  EXPECT_EQ(shape.at("tenfold").at("model").at("residual_mean"), true);
  const json metrics = last_validation("mlm");
  for (const char* name : {"attention_entropy_0", "attention_entropy_1", "attention_sparsity_1",
                           "score_growth_1", "largest_score_1", "perplexity"}) {
    EXPECT_TRUE(metrics.contains(name)) << name;
  }
  EXPECT_EQ(metrics.at("score_growth_0"), 1.0);
  EXPECT_GT(metrics.at("attention_entropy_0"), 0.0);
  EXPECT_NE(slurp(at("mlm/metrics.jsonl")).find("\"grad_norm\""), std::string::npos);

  spill(folder_ / "task.tsv", "the dog sees a cat\tanimal\na bird likes the fish\tother\n");
  const Ran tuned = run(finetune("tuned", "--set train.attention_metrics=true"));
  ASSERT_EQ(tuned.code, 0) << tuned.err;
  EXPECT_TRUE(last_validation("tuned").contains("score_growth_1"));
  const Ran labels = run("predict --model " + at("tuned/best") + " --input -", "the dog sees\n");
  EXPECT_EQ(labels.code, 0) << labels.err;
  const Ran filled = run("fill --model " + at("mlm/best") + " --input -", "the [MASK] sees\n");
  EXPECT_EQ(filled.code, 0) << filled.err;
}

TEST_F(Attention, OptionsThatCannotBeAreRefusedWithTheRecipe) {
  make_shards();
  make_recipe();
  const auto refused = [&](const std::string& settings, const std::string& part) {
    const Ran ran = run(pretrain("none", settings));
    EXPECT_EQ(ran.code, 2) << settings;
    EXPECT_EQ(count_lines(ran.err), 1) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(at("none")));
  };
  const auto kind = [](const std::string& name) {
    return "--set model.attention.kind=" + name + " ";
  };
  refused(kind("performer") + "--set model.attention.performer.features=0",
          "features must be in [1, 65536], got 0");
  refused(kind("performer") + "--set model.attention.performer.features=33", "must be even");
  refused(kind("dynamic_conv") + "--set model.attention.dynamic_conv.kernel_size=4", "kernel_size");
  refused(kind("linear") + "--set model.residual_attention=true", "never forms scores");
}

TEST_F(Attention, MetricsChangeNothingOfARunAndMayBeSwitchedOnResuming) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("without")).code, 0);
  ASSERT_EQ(run(pretrain("with", "--set train.attention_metrics=true")).code, 0);
  json plain = last_validation("without"), observed = last_validation("with");
  EXPECT_EQ(plain.at("loss"), observed.at("loss"));
  EXPECT_EQ(slurp(at("without/latest/model.safetensors")),
            slurp(at("with/latest/model.safetensors")));
  EXPECT_EQ(plain.size() + 8, observed.size()) << "four metrics of two layers";
  const Ran resumed = run(pretrain("without", "--resume --set train.attention_metrics=true"));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
}

TEST_F(Attention, OfATextIsATableAnObjectAndAPicture) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("mlm", "--set train.steps=2")).code, 0);
  const std::string inspect = "inspect " + at("mlm/latest") + " --attention ";
  const Ran table = run(inspect + "'the dog sees a cat' --svg " + at("heads.svg"));
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("entropy (nats)"), std::string::npos) << table.out;
  EXPECT_EQ(count_lines(table.out), 3U + 2 * 3) << "two heads and their mean a layer";
  const std::string svg = slurp(at("heads.svg"));
  EXPECT_NE(svg.find("layer 1, head 1"), std::string::npos);
  EXPECT_NE(svg.find(">dog</text>"), std::string::npos);
  const Ran object = run(inspect + "'the dog sees a cat' --json");
  ASSERT_EQ(object.code, 0) << object.err;
  const json parsed = json::parse(object.out);
  EXPECT_EQ(parsed.at("tokens").front(), "[CLS]");
  EXPECT_EQ(parsed.at("layers").at(1).at("heads").size(), 2U);
}

TEST_F(Attention, WrongInputGivesOneClearLine) {
  make_shards();
  make_recipe();
  ASSERT_EQ(run(pretrain("mlm", "--set train.steps=2")).code, 0);
  std::string longer;
  for (int i = 0; i < 40; ++i) longer += "dog ";
  const auto refused = [&](const std::string& arguments, const std::string& part) {
    const Ran ran = run("inspect " + at("mlm/latest") + " " + arguments);
    EXPECT_NE(ran.code, 0) << arguments;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_EQ(count_lines(ran.err), 1U) << ran.err;
    EXPECT_TRUE(ran.out.empty()) << ran.out;
  };
  refused("--attention ''", "--attention needs a text");
  refused("--attention '" + longer + "'", "the model takes 32");
  refused("--attention dog --svg " + at("no/folder/heads.svg"), "heads.svg");
  refused("--svg " + at("heads.svg"), "--attention");
  const Ran mean = run(pretrain("x", "--set model.residual_mean=true"));
  EXPECT_EQ(mean.code, 2);
  EXPECT_NE(mean.err.find("residual_attention carries, which is off"), std::string::npos)
      << mean.err;
}

TEST_F(Attention, TheRecipeOfRealFormerIsTaken) {
  const auto recipe = source_folder() / "src/methods/realformer/recipe.toml";
  const Ran dump = run("pretrain --dump-config --config " + recipe.string());
  ASSERT_EQ(dump.code, 0) << dump.err;
  EXPECT_NE(dump.out.find("residual_attention = true"), std::string::npos);
}

}  // namespace
}  // namespace tenfold::testing

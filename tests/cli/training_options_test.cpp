// The training options of a recipe as a user meets them: a run with all of them that resumes, and
// one line for each mistake. Not here: what they compute (tests/train, tests/nn).
#include "program.h"

namespace tenfold::testing {
namespace {

class TrainingOptions : public ProgramTest {
 protected:
  void expect_refusal(const std::string& arguments, int code, const std::string& part) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(at("bad")));
  }
};

TEST_F(TrainingOptions, ARunWithAllOfThemGoesOnToTheSameBits) {
  make_classifier();
  const std::string options =
      "--set train.optimizer.kind=adafactor --set train.freeze='[\"embeddings.*\"]' --set "
      "train.layer_decay.factor=0.8 --set train.layer_decay.depths=electra --set "
      "train.ema.decay=0.9 --set loss.balanced=true --set loss.label_smoothing=0.1 --set "
      "train.save_every=15 ";
  const Ran whole = run(finetune("run", options));
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_NE(whole.err.find("weights are frozen"), std::string::npos) << whole.err;
  EXPECT_NE(whole.err.find("averages of the weights take"), std::string::npos) << whole.err;
  const std::vector<std::string> files{"model.safetensors", "training_state.safetensors",
                                       "average_state.safetensors"};
  std::vector<std::string> contents;
  for (const std::string& file : files) contents.push_back(slurp(at("run/latest/" + file)));
  std::filesystem::remove_all(at("run/checkpoint-30"));  // as if killed after the save before
  const Ran resumed = run(finetune("run", options + "--resume"));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("at step 15"), std::string::npos) << resumed.err;
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_FALSE(contents[i].empty());
    EXPECT_TRUE(slurp(at("run/latest/" + files[i])) == contents[i]) << files[i];
  }
  expect_refusal(finetune("bad", "--set train.freeze='[\"encoder.layers.*\"]'"), 2,
                 "'encoder.layers.*' matches no parameter; the nearest are bert.encoder.layer.0.");
  expect_refusal(finetune("bad", "--set loss.class_weights='[1, 2, 3]'"), 2,
                 "class_weights has 3 numbers, and there are 2 labels: animal, other");
}

TEST_F(TrainingOptions, MistakesInARecipeAreOneLine) {
  const auto refuses = [&](const std::string& set, const std::string& part) {
    expect_refusal("finetune --model none --dump-config " + set, 2, part);
  };
  refuses("--set loss.lable_smoothing=0.1", "label_smoothing");
  refuses("--set train.layer_decay.factor=1.5", "train.layer_decay");
  refuses("--set train.ema.decay=1", "train.ema");
  refuses("--set train.optimizer.kind=adafactor --set train.optimizer.adafactor.warmup_init=true",
          "warmup_init is a form of relative_step");
  refuses("--set train.optimizer.kind=adamax", "adafactor");
}

}  // namespace
}  // namespace tenfold::testing

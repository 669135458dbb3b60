// The public Model on the reference models: agreement with the tensors beneath, batching, refusals.
// Not here: the encoder's numbers (golden_model_test.cpp).
#include <gmock/gmock.h>

#include <thread>

#include "goldens.h"
#include "model/registry.h"
#include "tenfold/error.h"
#include "tenfold/model.h"

namespace tenfold::model {
namespace {

using testing::golden_model;

TEST(Facade, EmbedsATextTheSameAloneAndInCompany) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-mlm"));
  const std::vector<std::string_view> texts{"the cat is on", "a", "she was not at all there", ""};
  const auto together = model.embed(texts);
  ASSERT_EQ(together.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = model.embed({&texts[i], 1});
    ASSERT_EQ(alone[0].size(), model.width());
    for (size_t d = 0; d < model.width(); ++d)
      EXPECT_NEAR(alone[0][d], together[i][d], 1e-5) << texts[i];
  }
}

TEST(Facade, ServesManyThreadsAtOnce) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-mlm"));
  const std::string_view text = "the man was there";
  const auto expected = model.embed({&text, 1});
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < equal.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) equal[t] += model.embed({&text, 1}) == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(equal, ::testing::Each(20));
}

TEST(Facade, FillsEveryMaskBestFirst) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-mlm"));
  const auto filled = model.fill("the [MASK] is [MASK] on", 3);
  ASSERT_EQ(filled.size(), 2U);
  EXPECT_EQ(filled[0].position, 2U);
  for (const FilledMask& mask : filled) {
    ASSERT_EQ(mask.candidates.size(), 3U);
    EXPECT_GE(mask.candidates[0].score, mask.candidates[1].score);
    EXPECT_GT(mask.candidates[0].score, 0.0);
  }
  EXPECT_THAT(model.fill("no blank"), ::testing::IsEmpty());
}

TEST(Facade, ClassProbabilitiesAddUpAndOtherModelsRefuse) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-classification"));
  const std::vector<std::string_view> texts{"the man", "it was for her"};
  for (const auto& scores : model.classify(texts)) {
    ASSERT_EQ(scores.size(), 3U);
    EXPECT_NEAR(scores[0].score + scores[1].score + scores[2].score, 1.0, 1e-6);
    EXPECT_GE(scores[0].score, scores[1].score);
  }
  EXPECT_THROW(model.fill("[MASK]"), Error);
  EXPECT_THROW(Model::load(golden_model("bert-mlm")).classify(texts), Error);
}

TEST(ObjectiveTable, NamesItsKindsAndSuggestsTheNearest) {
  EXPECT_EQ(objective_table().find("mlm").head, Head::mlm);
  try {
    objective_table().find("mlmm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("did you mean 'mlm'?"));
  }
}

}  // namespace
}  // namespace tenfold::model

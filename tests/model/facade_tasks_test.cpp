// The public Model's tags, answers, choices and similarities: the same alone and in company, places
// that lie in the text, refusals. Not here: the numbers beneath (task_goldens_test.cpp).
#include <gmock/gmock.h>

#include <cmath>

#include "goldens.h"
#include "model/checkpoint.h"
#include "tenfold/error.h"
#include "tenfold/model.h"

namespace tenfold::model {
namespace {

using testing::golden_model;
using Texts = std::vector<std::string_view>;

TEST(FacadeTasks, TagsEveryWordTheSameAloneAndInCompany) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-tokens"));
  // Longer than the model's positions: read in parts.
  std::string long_text;
  for (int i = 0; i < 60; ++i) long_text += "the man was there, ";
  const Texts texts{"the cat is on.", "", long_text, "she was not"};
  const auto together = model.tag(texts);
  ASSERT_EQ(together.size(), 4U);
  EXPECT_TRUE(together[1].words.empty());
  EXPECT_EQ(together[2].words.size(), 60U * 5);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = model.tag(Texts{texts[i]})[0];
    ASSERT_EQ(alone.words.size(), together[i].words.size());
    for (size_t w = 0; w < alone.words.size(); ++w) {
      EXPECT_EQ(alone.words[w].tag, together[i].words[w].tag);
      EXPECT_NEAR(alone.words[w].score, together[i].words[w].score, 1e-5);
      EXPECT_THAT(model.labels(), ::testing::Contains(alone.words[w].tag));
    }
    for (const TaggedSpan& span : together[i].spans) {
      EXPECT_LT(span.begin, span.end);
      EXPECT_LE(span.end, texts[i].size());
    }
  }
  const auto cut = model.tag(std::vector<CutText>{{.text = "the cat is on.", .words = {{0, 7}}}});
  EXPECT_EQ(cut[0].words.size(), 1U);
}

TEST(FacadeTasks, AnswersArePartsOfTheirPassages) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-qa"));
  std::string passage;
  for (int i = 0; i < 40; ++i) passage += "the man was there and she was not. ";
  const std::vector<Question> questions{{.question = "was she", .context = passage},
                                        {.question = "the man", .context = "the man was on"},
                                        {.question = "who", .context = ""}};
  const AnswerOptions options{.best = 3, .stride = 8};
  const auto answers = model.answer(questions, options);
  ASSERT_EQ(answers.size(), 3U);
  for (size_t q = 0; q < 2; ++q) {
    ASSERT_EQ(answers[q].size(), 3U);
    EXPECT_GE(answers[q][0].score, answers[q][1].score);
    for (const Answer& answer : answers[q]) {
      EXPECT_FALSE(answer.text.empty());
      EXPECT_EQ(questions[q].context.substr(answer.begin, answer.end - answer.begin), answer.text);
    }
    const auto alone = model.answer(std::span(&questions[q], 1), options)[0];
    EXPECT_EQ(alone[0].text, answers[q][0].text);
    EXPECT_NEAR(alone[0].score, answers[q][0].score, 1e-5);
  }
  ASSERT_EQ(answers[2].size(), 1U);
  EXPECT_EQ(answers[2][0].text, "");
  const auto none =
      model.answer(questions, {.stride = 8, .no_answer = true, .threshold = -1e9})[1][0];
  EXPECT_EQ(none.text, "");
}

TEST(FacadeTasks, SimilarityIsTheCosineOfEmbeddings) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-mlm"));
  const std::vector<TextPair> pairs{{.first = "the man", .second = "she was not"},
                                    {.first = "a", .second = "a"}};
  const auto cosines = model.similarity(pairs);
  const auto vectors = model.embed(Texts{"the man", "she was not"});
  double dot = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < model.width(); ++d) {
    const double a = vectors[0][d], b = vectors[1][d];
    dot += a * b, aa += a * a, bb += b * b;
  }
  EXPECT_NEAR(cosines[0], dot / std::sqrt(aa * bb), 1e-6);
  EXPECT_NEAR(cosines[1], 1, 1e-6);
}

TEST(FacadeTasks, ARegressionGivesItsNumber) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-regression"));
  const auto scores = model.classify(Texts{"the man"});
  ASSERT_EQ(scores[0].size(), 1U);
  EXPECT_NE(scores[0][0].score, 1.0);
}

TEST(FacadeTasks, ModelsWithoutTheHeadRefuse) {
  TENFOLD_NEEDS_SHARED();
  const Model model = Model::load(golden_model("bert-mlm"));
  EXPECT_THROW(model.tag(Texts{"a"}), Error);
  EXPECT_THROW(model.answer(std::vector<Question>{{"a", "b"}}), Error);
  EXPECT_THROW(model.choose(std::vector<ChoiceQuestion>{{"a", {"b"}}}), Error);
}

}  // namespace
}  // namespace tenfold::model

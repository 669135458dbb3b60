// Entities against 200 results of seqeval, and small sentences by hand.
// Not here: taggers.
#include "eval/entity_score.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_rows.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

using Tags = std::vector<std::string>;
using Sentences = std::vector<Tags>;

TEST(EntityScores, EqualTheGoldens) {
  TENFOLD_COMPARES_GOLDENS();
  for (const auto& row : testing::golden_rows("metric-entities.jsonl")) {
    const auto gold = row["gold"].get<Sentences>(), predicted = row["pred"].get<Sentences>();
    const EntityScores scores = score_entities(gold, predicted);
    EXPECT_NEAR(scores.all.precision(), row["precision"].get<double>(), 1e-9) << row.dump();
    EXPECT_NEAR(scores.all.recall(), row["recall"].get<double>(), 1e-9) << row.dump();
    EXPECT_NEAR(scores.all.f1(), row["f1"].get<double>(), 1e-9) << row.dump();
  }
}

TEST(Entities, AreRunsOfOneType) {
  const auto found = entities_of(Tags{"B-PER", "I-PER", "O", "B-LOC", "B-LOC"});
  EXPECT_THAT(found.entities, ::testing::ElementsAre(Entity{0, 2, "PER"}, Entity{3, 4, "LOC"},
                                                     Entity{4, 5, "LOC"}));
  EXPECT_EQ(found.inconsistent, 0);
}

TEST(Entities, BeginWhereATagContinuesNothingAndAreCounted) {
  const auto found = entities_of(Tags{"I-PER", "I-PER", "I-LOC", "O", "I-LOC"});
  EXPECT_THAT(found.entities, ::testing::ElementsAre(Entity{0, 2, "PER"}, Entity{2, 3, "LOC"},
                                                     Entity{4, 5, "LOC"}));
  EXPECT_EQ(found.inconsistent, 3);
}

TEST(Entities, EndAtEndTagsAndSingleTags) {
  const auto found = entities_of(Tags{"B-A", "E-A", "I-A", "S-A", "S-A"});
  EXPECT_THAT(found.entities, ::testing::ElementsAre(Entity{0, 2, "A"}, Entity{2, 3, "A"},
                                                     Entity{3, 4, "A"}, Entity{4, 5, "A"}));
  EXPECT_EQ(found.inconsistent, 1);
}

TEST(Entities, KeepHyphensInTheirType) {
  const auto found = entities_of(Tags{"B-creative-work", "I-creative-work"});
  EXPECT_THAT(found.entities, ::testing::ElementsAre(Entity{0, 2, "creative-work"}));
}

TEST(EntityScores, CountBordersAndTypesAndEachType) {
  const Sentences gold = {{"B-PER", "I-PER", "O"}, {"B-LOC", "O"}};
  const Sentences predicted = {{"B-PER", "O", "O"}, {"B-LOC", "I-LOC"}};
  const EntityScores wrong = score_entities(gold, predicted);
  EXPECT_EQ(wrong.all.correct, 0);
  const EntityScores half = score_entities(gold, Sentences{gold[0], predicted[1]});
  EXPECT_DOUBLE_EQ(half.all.f1(), 0.5);
  EXPECT_DOUBLE_EQ(half.by_type.at("PER").f1(), 1);
  EXPECT_DOUBLE_EQ(half.by_type.at("LOC").f1(), 0);
  EXPECT_DOUBLE_EQ(half.f1_macro(), 0.5);
  EXPECT_EQ(half.by_sentence[0].correct, 1);
  EXPECT_EQ(half.by_sentence[1].predicted, 1);
}

TEST(EntityScores, NameTheSentenceThatDoesNotFit) {
  const auto message = [](const Sentences& gold, const Sentences& predicted) -> std::string {
    try {
      static_cast<void>(score_entities(gold, predicted));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message({{"O"}, {"O", "O"}}, {{"O"}, {"O"}}),
              ::testing::HasSubstr("sentence 2: 1 predicted tags for 2 words"));
  EXPECT_THAT(message({{"O"}}, {{"O"}, {"O"}}), ::testing::HasSubstr("2 predicted sentences"));
  for (const char* tag : {"PER", "B", "B-", "X-PER", "", "b-PER"}) {
    EXPECT_THAT(message({{"O", tag}}, {{"O", "O"}}),
                ::testing::HasSubstr("sentence 1, word 2: the tag '" + std::string(tag) + "'"));
  }
}

}  // namespace
}  // namespace tenfold::eval

// Several texts in one example, and the batches of choices, contrastive rows, scored pairs and
// numbers. Not here: losses (tests/model).
#include <gmock/gmock.h>

#include "corpus_folder.h"
#include "data/group_collators.h"
#include "data/target_collator.h"
#include "data/text_group.h"

namespace tenfold::data {
namespace {

Example group(uint64_t id, const std::vector<std::string>& texts, std::vector<double> labels = {}) {
  Example example;
  example.id = id;
  for (const std::string& text : texts)
    append_text(example, counting_tokenizer().encode_single(text));
  example.labels = std::move(labels);
  return example;
}

Tensor numbers(std::vector<int64_t> values) { return torch::tensor(values, torch::kInt64); }

TEST(TextGroups, ComeApartIntoSequencesWithStreamsOfTheirOwn) {
  const std::vector<Example> examples{group(4, {"w1", "w2 w3"}), group(9, {"w4"})};
  const TextGroups groups = pack_groups(examples);
  EXPECT_EQ(groups.block.layout.lengths(), (std::vector<int64_t>{3, 4, 3}));
  EXPECT_TRUE(torch::equal(groups.block.ids_T, numbers({2, 6, 3, 2, 7, 8, 3, 2, 9, 3})));
  EXPECT_EQ(groups.first, (std::vector<int64_t>{0, 2}));
  const TextGroups alone = pack_groups(std::vector{examples[1]});
  EXPECT_EQ(alone.ids[0], groups.ids[2]);  // company changes nothing
  EXPECT_NE(groups.ids[0], groups.ids[1]);
  EXPECT_NE(message_of([] { pack_groups(std::vector<Example>(1)); }).find("is no group"),
            std::string::npos);
}

TEST(ChoiceCollator, LaysChoicesOutByRow) {
  const Batch batch = ChoiceCollator().collate(
      std::vector{group(0, {"w1", "w2"}, {1}), group(1, {"w3", "w4", "w5"}, {0})}, {});
  EXPECT_TRUE(
      torch::equal(batch.field("choices"), torch::tensor({{0, 1, -1}, {2, 3, 4}}, torch::kInt64)));
  EXPECT_TRUE(torch::equal(batch.field("labels"), numbers({1, 0})));
  EXPECT_EQ(batch.denominators.at("choice"), 2);
  EXPECT_EQ(batch.example_ids.size(), 5U);
}

TEST(ContrastiveCollator, CandidatesAreAllPositivesThenAllNegatives) {
  const Batch batch = ContrastiveCollator().collate(
      std::vector{group(0, {"w1", "w2"}), group(1, {"w3", "w4", "w5", "w6"})}, {});
  EXPECT_TRUE(torch::equal(batch.field("anchors"), numbers({0, 2})));
  EXPECT_TRUE(torch::equal(batch.field("candidates"), numbers({1, 3, 4, 5})));
  EXPECT_TRUE(batch.field("allowed").all().item<bool>());
}

TEST(ContrastiveCollator, CopiesDoNotCountAgainstARow) {
  // Row 1 has row 0's anchor; row 2 has row 0's positive, and row 0's anchor as its negative.
  const Batch batch = ContrastiveCollator().collate(
      std::vector{group(0, {"w1", "w2"}), group(1, {"w1", "w3"}), group(2, {"w4", "w2", "w1"})},
      {});
  const Tensor expected =
      torch::tensor({{1, 0, 0, 0}, {0, 1, 1, 0}, {0, 1, 1, 1}}).to(torch::kBool);
  EXPECT_TRUE(torch::equal(batch.field("allowed"), expected)) << batch.field("allowed");
}

TEST(ScoredPairCollator, GivesPairsAndScores) {
  const Batch batch = ScoredPairCollator().collate(
      std::vector{group(0, {"w1", "w2"}, {0.5}), group(1, {"w3", "w4"}, {1})}, {});
  EXPECT_EQ(batch.input("tokens").layout.count(), 4);
  EXPECT_TRUE(torch::equal(batch.field("scores"), torch::tensor({0.5F, 1.0F})));
  EXPECT_EQ(batch.denominators.at("cosine"), 2);
  EXPECT_EQ(batch.denominators.at("cosent"), 1);
}

TEST(TargetCollator, CountsEveryNumber) {
  Example first, second;
  first.sequences["tokens"] = second.sequences["tokens"] = {2, 3};
  first.labels = {0, 1, 1};
  second.labels = {1, 0, 0};
  const Batch batch = TargetCollator("multi_label").collate(std::vector{first, second}, {});
  EXPECT_EQ(batch.denominators.at("multi_label"), 6);
  EXPECT_TRUE(torch::equal(batch.field("targets"),
                           torch::tensor({{0.0F, 1.0F, 1.0F}, {1.0F, 0.0F, 0.0F}})));
}

}  // namespace
}  // namespace tenfold::data

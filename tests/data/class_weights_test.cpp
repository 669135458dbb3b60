// Class weights from options and counts, and the denominator they give a batch.
// Not here: the loss (tests/nn/class_loss_test.cpp).
#include "data/class_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/classification_collator.h"
#include "tenfold/error.h"

namespace tenfold::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kLabelNames{"cat", "dog", "eel"};
const std::vector<int64_t> kCounts{6, 3, 1};

std::string refusal_of(const std::function<void()>& work, ErrorKind kind) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind() == kind ? error.what() : "another kind of error";
  }
  return "";
}

TEST(ClassWeights, AreThoseListedOrBalancedOrNone) {
  EXPECT_THAT(class_weights_of({}, kCounts, kLabelNames), IsEmpty());
  EXPECT_THAT(class_weights_of({.class_weights = {1, 2, 0}}, kCounts, kLabelNames),
              ElementsAre(1, 2, 0));
  const auto balanced = class_weights_of({.balanced = true}, kCounts, kLabelNames);
  ASSERT_EQ(balanced.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {  // every class has a third of the ten rows
    EXPECT_DOUBLE_EQ(balanced[i] * static_cast<double>(kCounts[i]), 10.0 / 3);
  }
}

TEST(ClassWeights, RefuseAnotherNumberALabelWithoutRowsAndContradictions) {
  EXPECT_THAT(refusal_of(
                  [] {
                    class_weights_of({.class_weights = {1, 2}}, kCounts, kLabelNames);
                  },
                  ErrorKind::config),
              HasSubstr("has 2 numbers, and there are 3 labels: cat, dog, eel"));
  EXPECT_THAT(
      refusal_of(
          [] {
            class_weights_of({.balanced = true}, std::vector<int64_t>{6, 0, 1}, kLabelNames);
          },
          ErrorKind::data),
      HasSubstr("none of 'dog'"));
  const ClassLossOptions both{.balanced = true, .class_weights = {1, 2, 3}};
  EXPECT_THAT(refusal_of([&] { both.validate("loss"); }, ErrorKind::config),
              HasSubstr("set one of them"));
  const ClassLossOptions nothing{.class_weights = {0, 0}};
  EXPECT_THAT(refusal_of([&] { nothing.validate("loss"); }, ErrorKind::config),
              HasSubstr("no row would count"));
}

TEST(ClassWeights, TheDenominatorIsTheSumOverRowsOfBothWeights) {
  std::vector<Example> examples(3);
  for (size_t i = 0; i < 3; ++i) {
    examples[i].id = i;
    examples[i].sequences["tokens"] = {2, 5, 3};
    examples[i].labels = {static_cast<double>(i == 2 ? 0 : i)};
  }
  examples[1].weight = 0.5;
  const Batch plain = ClassificationCollator().collate(examples, {});
  EXPECT_EQ(plain.denominators.at("classification"), 2.5);
  const Batch weighted = ClassificationCollator({2, 8}).collate(examples, {});
  EXPECT_EQ(weighted.denominators.at("classification"), 2 + 0.5 * 8 + 2);
  EXPECT_TRUE(torch::equal(weighted.field("weights"), plain.field("weights")));
}

}  // namespace
}  // namespace tenfold::data

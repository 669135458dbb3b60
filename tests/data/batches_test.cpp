// The order of examples and the batches made of it: complete, repeatable from every place, and
// clean in failure. Not here: what collators put into a batch (masking_test.cpp).
#include <set>

#include "corpus_folder.h"
#include "data/batch_source.h"
#include "data/classification_collator.h"
#include "data/training_order.h"
#include "support/fail.h"

namespace tenfold::data {
namespace {

std::shared_ptr<ExampleList> uneven_examples(int count) {
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    Example example;
    example.id = static_cast<uint64_t>(i);
    example.sequences["tokens"].assign(static_cast<size_t>(3 + i * 7 % 29), 5);
    examples.push_back(std::move(example));
  }
  return std::make_shared<ExampleList>(std::move(examples));
}

using BatchIds = std::vector<std::vector<uint64_t>>;

BatchIds rest_of(BatchSource& source) {
  BatchIds batches;
  while (auto prepared = source.next()) batches.push_back(prepared->batch.example_ids);
  return batches;
}

TEST(TrainingOrder, IsAPermutationThatChangesWithSeedAndEpoch) {
  for (const int64_t size : {1, 2, 3, 4, 5, 63, 64, 65, 1000, 4097}) {
    const TrainingOrder order(size, 1, 0);
    std::set<int64_t> seen;
    for (int64_t place = 0; place < size; ++place) seen.insert(order.at(place));
    EXPECT_EQ(static_cast<int64_t>(seen.size()), size);
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
  int same_epoch = 0, same_seed = 0;
  for (int64_t place = 0; place < 1000; ++place) {
    same_epoch += TrainingOrder(1000, 1, 0).at(place) == TrainingOrder(1000, 1, 1).at(place);
    same_seed += TrainingOrder(1000, 1, 0).at(place) == TrainingOrder(1000, 2, 0).at(place);
  }
  EXPECT_LT(same_epoch, 10);
  EXPECT_LT(same_seed, 10);
}

TEST(BatchSource, GivesEveryExampleOnceAnEpochWithinTheBudget) {
  const auto examples = uneven_examples(500);
  BatchSource source(examples, std::make_shared<ClassificationCollator>(),
                     {.batch_tokens = 100, .batch_rows = 12, .window = 64, .seed = 5, .epochs = 2});
  std::multiset<uint64_t> seen;
  while (const auto prepared = source.next()) {
    EXPECT_LE(prepared->batch.real_tokens(), 100);
    EXPECT_LE(prepared->batch.example_ids.size(), 12u);
    seen.insert(prepared->batch.example_ids.begin(), prepared->batch.example_ids.end());
  }
  EXPECT_EQ(seen.size(), 1000u);
  for (uint64_t id = 0; id < 500; ++id) EXPECT_EQ(seen.count(id), 2u);
}

TEST(BatchSource, GoesOnFromEveryPositionWhateverIsPreparedAhead) {
  const auto examples = uneven_examples(120);
  const auto collator = std::make_shared<ClassificationCollator>();
  BatchOptions options{.batch_tokens = 90, .window = 50, .seed = 6, .epochs = 2};
  BatchSource whole(examples, collator, options);
  std::vector<std::string> positions{whole.position()};
  BatchIds all;
  while (auto prepared = whole.next()) {
    all.push_back(prepared->batch.example_ids);
    positions.push_back(whole.position());
  }
  EXPECT_GT(all.size(), 30u);
  for (size_t at = 0; at < positions.size(); ++at) {
    options.ahead = 1 + at % 7;
    BatchSource again(examples, collator, options);
    again.seek(positions[at]);
    EXPECT_EQ(rest_of(again), BatchIds(all.begin() + static_cast<std::ptrdiff_t>(at), all.end()))
        << positions[at];
  }
}

TEST(BatchSource, RefusesForeignPositionsAndNoExamples) {
  const auto collator = std::make_shared<ClassificationCollator>();
  BatchSource source(uneven_examples(10), collator, {.batch_rows = 4, .window = 5});
  source.seek("3 1 2");  // behind the last batch of the last window: where reading an epoch ends
  for (const char* position :
       {"", "x", "0 0", "-1 0 0", "0 9 0", "0 2 0", "0 0 3", "0 1 -1", "0 0 0 0", "0 0 1x",
        "0 0 1 ", " 0 0 1", "00 0 1", "0 0 99999999999999999999"}) {
    EXPECT_NE(message_of([&] { source.seek(position); }).find("no position"), std::string::npos)
        << position;
  }
  EXPECT_NE(message_of([&] { BatchSource(uneven_examples(0), collator, {}); }).find("no examples"),
            std::string::npos);
}

class FailingCollator final : public Collator {
 public:
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override {
    for (const Example& example : examples) {
      require(example.id != 77, ErrorKind::data, "test", "example 77 cannot be read");
    }
    return ClassificationCollator().collate(examples, draw);
  }
};

TEST(BatchSource, HandsTheFailureOfThePreparationToTheConsumer) {
  BatchSource source(uneven_examples(100), std::make_shared<FailingCollator>(),
                     {.batch_tokens = 40, .epochs = 1});
  EXPECT_NE(message_of([&] { rest_of(source); }).find("example 77"), std::string::npos);
  EXPECT_NE(message_of([&] { source.next(); }).find("example 77"), std::string::npos);
}

TEST(BatchSource, EndsCleanlyWithBatchesLeft) {
  for (int round = 0; round < 20; ++round) {
    BatchSource source(uneven_examples(100), std::make_shared<ClassificationCollator>(),
                       {.batch_tokens = 40});
    if (round % 2 == 1) source.next();
  }
}

}  // namespace
}  // namespace tenfold::data

// Evaluation loops: means that do not depend on the cut, labels that must fit, every example once.
// Not here: the objectives' own arithmetic (tests/model).
#include "eval/objective_evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/classification_collator.h"
#include "model/classification_objective.h"
#include "model/heads.h"
#include "tenfold/error.h"

namespace tenfold::eval {
namespace {

std::vector<data::Example> examples_of_lengths(const std::vector<int>& lengths) {
  std::vector<data::Example> examples;
  for (size_t i = 0; i < lengths.size(); ++i) {
    data::Example example;
    example.id = i;
    for (int k = 0; k < lengths[i]; ++k) {
      example.sequences["tokens"].push_back(static_cast<int32_t>((5 * i + k) % 20));
    }
    example.labels = {static_cast<double>(i % 2)};
    examples.push_back(example);
  }
  return examples;
}

model::EncoderConfig tiny_encoder() {
  model::EncoderConfig config;
  config.vocab_size = 20;
  config.hidden_size = 8;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 2;
  config.intermediate_size = 16;
  return config;
}

TEST(EvaluationBatches, HoldEachExampleOnceWithinTheBudget) {
  const auto examples = examples_of_lengths({3, 9, 1, 4, 20, 2});
  const auto batches = evaluation_batches(examples, 10);
  std::vector<size_t> seen;
  for (const auto& batch : batches) {
    size_t tokens = 0;
    for (size_t i : batch) {
      tokens += examples[i].sequences.at("tokens").size();
      seen.push_back(i);
    }
    EXPECT_TRUE(tokens <= 10 || batch.size() == 1);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<size_t>{0, 1, 2, 3, 4, 5}));
}

TEST(EvaluateObjective, GivesTheSameMeansHoweverTheBatchesAreCut) {
  const auto config = tiny_encoder();
  model::Encoder encoder(config, model::Pooler::tanh, 1, torch::kFloat);
  model::ClassificationObjective objective(model::make_sequence_classifier(
      {.encoder = config, .outputs = 2, .dropout = 0.1, .seed = 2}));
  const data::ClassificationCollator collator;
  const auto examples = examples_of_lengths({3, 9, 1, 4, 7, 2});
  encoder.train();
  const auto small =
      evaluate_objective(encoder, objective, collator, examples, {.batch_tokens = 5});
  const auto large =
      evaluate_objective(encoder, objective, collator, examples, {.batch_tokens = 99});
  EXPECT_TRUE(encoder.is_training());
  EXPECT_NEAR(small.loss, large.loss, 1e-6);
  EXPECT_EQ(small.examples, 6);
  EXPECT_EQ(small.tokens, 26);
  EXPECT_EQ(small.denominators.at("classification"), 6);
  EXPECT_EQ(small.counts.at("correct"), large.counts.at("correct"));
  EXPECT_DOUBLE_EQ(small.share("correct", "classification"), small.counts.at("correct") / 6);
}

/// Class 1 with certainty for every row.
Tensor always_one(const data::Batch& batch) {
  const auto rows = static_cast<int64_t>(batch.example_ids.size());
  return torch::tensor({0.0, 50.0}).repeat({rows, 1});
}

TEST(EvaluateClassification, KeepsTheOrderOfTheExamples) {
  const auto examples = examples_of_lengths({3, 9, 1, 4});
  const auto scores =
      evaluate_classification(always_one, data::ClassificationCollator(), examples, 2);
  EXPECT_EQ(scores.gold, (std::vector<int64_t>{0, 1, 0, 1}));
  EXPECT_EQ(scores.predicted, (std::vector<int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(scores.correct, (std::vector<double>{0, 1, 0, 1}));
  EXPECT_DOUBLE_EQ(accuracy(scores.confusion), 0.5);
  EXPECT_NEAR(scores.loss, 25, 1e-9);  // 50 for each wrong one, 0 for each right one
}

TEST(EvaluateClassification, RefusesWhatDoesNotFit) {
  const data::ClassificationCollator collator;
  auto examples = examples_of_lengths({3});
  examples[0].labels = {2};
  EXPECT_THROW(evaluate_classification(always_one, collator, examples, 2), Error);
  examples[0].labels.clear();
  EXPECT_THROW(evaluate_classification(always_one, collator, examples, 2), Error);
  EXPECT_THROW(evaluate_classification(always_one, collator, {}, 2), Error);
  EXPECT_THROW(evaluate_classification(always_one, collator, examples_of_lengths({1}), 3), Error);
}

}  // namespace
}  // namespace tenfold::eval

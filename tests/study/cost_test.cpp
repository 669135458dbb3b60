// Arithmetic counted by hand for small shapes, and against the parameter counts of real ones.
// Not here: what a run measured.
#include "study/cost.h"

#include <gtest/gtest.h>

namespace tenfold::study {
namespace {

model::EncoderConfig shape(int64_t width, int64_t layers, int64_t inner, int64_t vocabulary) {
  model::EncoderConfig config;
  config.hidden_size = width;
  config.num_hidden_layers = layers;
  config.num_attention_heads = 1;
  config.intermediate_size = inner;
  config.vocab_size = vocabulary;
  return config;
}

TEST(Flops, AgreeWithASumByHand) {
  // Two rows of 3 and 1 tokens: each token sees its row, 9 + 1 pairs. One layer of width 2 and
  // inner width 4: four products of 2 x 2 (2 * 4 * 4 = 32 a token), two of 2 x 4 (2 * 2 * 8 = 32),
  // and 2 + 2 for scores and sum over each pair, twice 2 * 2 = 8.
  const Passed rows{.tokens = 4, .attended = 10};
  EXPECT_EQ(forward_flops(shape(2, 1, 4, 10), rows), 4 * (32 + 32) + 10 * 8);
  EXPECT_EQ(forward_flops(shape(2, 3, 4, 10), rows), 3 * (4 * 64 + 10 * 8));
  // A predicted row: transform 2 x 2 and vocabulary 2 x 10.
  const Passed predicted{.predicted = 5};
  EXPECT_EQ(forward_flops(shape(2, 1, 4, 10), predicted), 5 * (8 + 40));
  const Passed classified{.classified = 5, .classes = 3};
  EXPECT_EQ(forward_flops(shape(2, 1, 4, 10), classified), 5 * (8 + 12));
  EXPECT_EQ(training_flops(shape(2, 1, 4, 10), rows), 3 * (4 * 64 + 10 * 8));
}

TEST(Flops, OfBertBaseAreSixTimesItsMatrixWeightsAToken) {
  // Without attention's pairs a token passes through every weight of the 12 layers' matrices,
  // 84,934,656 of them, once forward and twice backward, at two operations each.
  const Passed one{.tokens = 1};
  EXPECT_EQ(training_flops(shape(768, 12, 3072, 30522), one), 6.0 * 84'934'656);
}

TEST(Flops, FollowTheRunsOfTheStack) {
  model::EncoderConfig config = shape(2, 3, 4, 10);
  config.layers.resize(2);
  config.layers[0].count = 2;
  config.layers[1].intermediate_size = 8;
  EXPECT_EQ(forward_flops(config, {.tokens = 1}), 2 * 64 + (32 + 64));
}

}  // namespace
}  // namespace tenfold::study

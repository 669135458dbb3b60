// Task objectives against their definitions in plain loops and central differences, and sums that
// do not depend on how a batch is cut. Not here: reference results (task_goldens_test.cpp).
#include <gmock/gmock.h>

#include <cmath>

#include "data/group_collators.h"
#include "data/span_collator.h"
#include "data/target_collator.h"
#include "data/text_group.h"
#include "data/word_collator.h"
#include "goldens.h"
#include "model/checkpoint.h"
#include "model/sentence_losses.h"
#include "model/sentence_objectives.h"
#include "model/sequence_objectives.h"
#include "model/span_objective.h"
#include "model/tagging_objective.h"
#include "tensor/gradient_check.h"
#include "tiny_model.h"

namespace tenfold::model {
namespace {

using data::Example;

ModelDescription tiny_encoder(std::vector<std::string> labels = {"a", "b", "c"}) {
  ModelDescription description = testing::tiny_description();
  description.labels = std::move(labels);
  description.encoder.max_position_embeddings = 12;
  description.encoder.initializer_range = 0.3;
  return description;
}

std::vector<int32_t> some_tokens(uint64_t id) {
  std::vector<int32_t> tokens;
  for (uint64_t i = 0; i < 4 + id % 3; ++i)
    tokens.push_back(static_cast<int32_t>((id * 7 + i * 3) % 19 + 1));
  return tokens;
}

Example plain_example(uint64_t id, std::vector<double> labels) {
  Example example;
  example.id = id;
  example.sequences["tokens"] = some_tokens(id);
  example.labels = std::move(labels);
  return example;
}

/// `texts` texts of their own.
Example group_example(uint64_t id, size_t texts, std::vector<double> labels) {
  Example example;
  example.id = id;
  for (size_t t = 0; t < texts; ++t) {
    const auto tokens = some_tokens(id + 11 * t);
    data::append_text(example, {.ids = tokens,
                                .begin = {},
                                .end = {},
                                .segments = std::vector<uint8_t>(tokens.size()),
                                .special = {}});
  }
  example.labels = std::move(labels);
  return example;
}

/// With dropout on, one batch of three and its pieces in another order; denominators add up too.
void expect_cut_invariance(Encoder& encoder, Objective& objective, const data::Collator& collator,
                           const std::vector<Example>& three) {
  const StepContext context{.training = true, .seed = 5, .step = 7};
  const auto step = [&](std::vector<Example> examples) {
    const data::Batch batch = collator.collate(examples, {});
    const StepResult result = objective.step(encoder, batch, context);
    return std::pair(result, batch.denominators.at(result.parts[0].name));
  };
  const auto [whole, all] = step(three);
  const auto [first, one] = step({three[1]});
  const auto [rest, two] = step({three[2], three[0]});
  EXPECT_EQ(all, one + two);
  EXPECT_NEAR(whole.parts[0].sum.item<double>(),
              first.parts[0].sum.item<double>() + rest.parts[0].sum.item<double>(), 1e-5);
  for (const auto& [name, count] : whole.counts)
    EXPECT_EQ(count, first.counts.at(name) + rest.counts.at(name)) << name;
  EXPECT_GT(whole.parts[0].sum.item<double>(), 0);
}

TEST(TaskObjectives, TaggingDoesNotDependOnTheCut) {
  const LoadedModel model = make_model(tiny_encoder(), {.head = Head::token_classifier, .seed = 1});
  std::vector<Example> three{plain_example(3, {0, 2}), plain_example(5, {-1, 1}),
                             plain_example(4, {1, 1})};
  for (Example& example : three) example.sequences["first_pieces"] = {1, 2};
  TaggingObjective objective(model.token_classifier);
  expect_cut_invariance(*model.encoder, objective, data::WordCollator(), three);
}

TEST(TaskObjectives, SpansDoNotDependOnTheCut) {
  const LoadedModel model = make_model(tiny_encoder(), {.head = Head::span, .seed = 1});
  SpanObjective objective(model.span);
  expect_cut_invariance(
      *model.encoder, objective, data::SpanCollator(),
      {plain_example(3, {0, 0}), plain_example(5, {1, 3}), plain_example(4, {2, 2})});
}

TEST(TaskObjectives, NumbersDoNotDependOnTheCut) {
  const LoadedModel score =
      make_model(tiny_encoder({"score"}),
                 {.head = Head::classifier, .problem = ProblemType::regression, .seed = 1});
  RegressionObjective regression(score.classifier);
  expect_cut_invariance(*score.encoder, regression, data::TargetCollator("regression"),
                        {plain_example(3, {0.5}), plain_example(5, {-2}), plain_example(4, {3})});
  const LoadedModel several = make_model(
      tiny_encoder(), {.head = Head::classifier, .problem = ProblemType::multi_label, .seed = 1});
  MultiLabelObjective labels(several.classifier);
  expect_cut_invariance(
      *several.encoder, labels, data::TargetCollator("multi_label"),
      {plain_example(3, {0, 0, 0}), plain_example(5, {1, 0, 1}), plain_example(4, {0, 1, 0})});
}

TEST(TaskObjectives, ChoicesDoNotDependOnTheCut) {
  const LoadedModel model = make_model(tiny_encoder(), {.head = Head::choice, .seed = 1});
  ChoiceObjective objective(model.choice);
  expect_cut_invariance(
      *model.encoder, objective, data::ChoiceCollator(),
      {group_example(3, 2, {1}), group_example(5, 4, {0}), group_example(4, 3, {2})});
}

TEST(TaskObjectives, CosineRegressionDoesNotDependOnTheCut) {
  const LoadedModel model = make_model(tiny_encoder(), {.head = Head::none, .seed = 1});
  for (const Pooling pooling : {Pooling::mean, Pooling::cls, Pooling::max}) {
    CosineObjective objective({.pooling = pooling});
    expect_cut_invariance(
        *model.encoder, objective, data::ScoredPairCollator(),
        {group_example(3, 2, {0}), group_example(5, 2, {1}), group_example(4, 2, {0.5})});
  }
}

TEST(TaskObjectives, MultiLabelIsABinaryCrossEntropyForEachNumber) {
  const LoadedModel model = make_model(
      tiny_encoder(), {.head = Head::classifier, .problem = ProblemType::multi_label, .seed = 1});
  const MultiLabelObjective objective(model.classifier);
  data::Batch batch;
  batch.fields["targets"] = torch::tensor({{1.0, 0.0}, {1.0, 1.0}});
  const double logits[2][2] = {{0.5, -1}, {-2, 3}}, targets[2][2] = {{1, 0}, {1, 1}};
  double expected = 0;
  for (int b = 0; b < 2; ++b) {
    for (int c = 0; c < 2; ++c) {
      const double yes = 1 / (1 + std::exp(-logits[b][c]));
      expected -= targets[b][c] == 1 ? std::log(yes) : std::log(1 - yes);
    }
  }
  const StepResult result =
      objective.judge(torch::tensor({{0.5, -1.0}, {-2.0, 3.0}}, torch::kDouble), batch);
  EXPECT_NEAR(result.parts[0].sum.item<double>(), expected, 1e-12);
  EXPECT_EQ(result.counts.at("correct"), 3);
}

TEST(TaskObjectives, ChoicesAreComparedWithinTheirRow) {
  const LoadedModel model = make_model(tiny_encoder(), {.head = Head::choice, .seed = 1});
  const ChoiceObjective objective(model.choice);
  data::Batch batch;
  batch.fields["choices"] = torch::tensor({{0, 1, -1}, {2, 3, 4}}, torch::kInt64);
  batch.fields["labels"] = torch::tensor({1, 0}, torch::kInt64);
  const double s[5] = {1, 2, -1, 0.5, 3};
  const double expected = std::log(std::exp(s[0]) + std::exp(s[1])) - s[1] +
                          std::log(std::exp(s[2]) + std::exp(s[3]) + std::exp(s[4])) - s[2];
  const StepResult result = objective.judge(
      torch::tensor({1.0, 2.0, -1.0, 0.5, 3.0}, torch::kDouble).unsqueeze(1), batch);
  EXPECT_NEAR(result.parts[0].sum.item<double>(), expected, 1e-12);
  EXPECT_EQ(result.counts.at("correct"), 1);
}

using Rows = std::vector<std::vector<double>>;

Rows rows_of(int64_t count, double shift) {
  Rows rows;
  for (int64_t i = 0; i < count; ++i)
    rows.push_back({std::sin(static_cast<double>(i) + shift),
                    std::cos(2.0 * static_cast<double>(i)), 0.3 * static_cast<double>(i) - shift});
  return rows;
}

Tensor tensor_of(const Rows& rows) {
  std::vector<Tensor> out;
  for (const auto& row : rows) out.push_back(torch::tensor(row, torch::kDouble));
  return torch::stack(out).set_requires_grad(true);
}

double cosine_of(const std::vector<double>& a, const std::vector<double>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < a.size(); ++d) dot += a[d] * b[d], aa += a[d] * a[d], bb += b[d] * b[d];
  return dot / std::sqrt(aa * bb);
}

TEST(SentenceLosses, ContrastiveEqualsPlainLoopsAndItsGradientDifferences) {
  const Rows anchors = rows_of(3, 0.2), candidates = rows_of(5, 1.1);  // two of them negatives
  const bool allowed[3][5] = {{true, false, true, true, true},
                              {true, true, true, false, true},
                              {false, false, true, true, true}};
  double expected = 0;
  for (size_t b = 0; b < 3; ++b) {
    double total = 0;
    for (size_t c = 0; c < 5; ++c)
      if (allowed[b][c]) total += std::exp(20 * cosine_of(anchors[b], candidates[c]));
    expected += std::log(total) - 20 * cosine_of(anchors[b], candidates[b]);
  }
  const Tensor a_BD = tensor_of(anchors), c_CD = tensor_of(candidates);
  const Tensor allowed_BC =
      torch::from_blob(const_cast<bool*>(&allowed[0][0]), {3, 5}, torch::kBool);
  EXPECT_NEAR(contrastive_loss(a_BD, c_CD, allowed_BC, 20).item<double>(), expected, 1e-10);
  EXPECT_LT(
      gradient_error([&] { return contrastive_loss(a_BD, c_CD, allowed_BC, 20); }, {a_BD, c_CD}),
      1e-6);
}

TEST(SentenceLosses, CosentEqualsPlainLoopsAndItsGradientDifferences) {
  const Rows first = rows_of(4, 0.2), second = rows_of(4, 1.1);
  const double scores[4] = {3, 1, 3, 0};
  std::vector<double> cosine;
  for (size_t i = 0; i < 4; ++i) cosine.push_back(cosine_of(first[i], second[i]));
  double total = 1;
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j)
      if (scores[i] > scores[j]) total += std::exp(20 * (cosine[j] - cosine[i]));
  }
  const Tensor a_PD = tensor_of(first), b_PD = tensor_of(second);
  const Tensor scores_P = torch::tensor({3.0, 1.0, 3.0, 0.0});
  const auto loss = [&] { return cosent_loss(cosines(a_PD, b_PD), scores_P, 20); };
  EXPECT_NEAR(loss().item<double>(), std::log(total), 1e-10);
  EXPECT_LT(gradient_error(loss, {a_PD, b_PD}), 1e-6);
  const Tensor equal = cosent_loss(cosines(a_PD, b_PD), torch::ones({4}), 20);
  EXPECT_EQ(equal.item<double>(), 0);  // nothing to compare
}

TEST(SentenceObjectives, ContrastiveCountsPositivesThatWin) {
  const ContrastiveObjective objective{SentenceOptions()};
  data::Batch batch;
  batch.fields["anchors"] = torch::tensor({0, 2}, torch::kInt64);
  batch.fields["candidates"] = torch::tensor({1, 3}, torch::kInt64);
  batch.fields["allowed"] = torch::ones({2, 2}, torch::kBool);
  const Tensor vectors = torch::tensor({{1.0, 0.0}, {1.0, 0.1}, {0.0, 1.0}, {-1.0, 0.0}});
  EXPECT_EQ(objective.judge(vectors, batch).counts.at("correct"), 1);
}

TEST(TaskNote, IsKeptInTheModelDirectory) {
  ModelDescription description = tiny_encoder();
  description.task = R"({"kind":"span","span":{"stride":7}})";
  const LoadedModel model = make_model(description, {.head = Head::span, .seed = 1});
  const auto folder = testing::fresh_folder("note");
  write_model(folder, model.description, model.modules());
  EXPECT_EQ(read_description(folder).task, description.task);
}

TEST(Pooling, EqualsPlainLoopsOnRaggedRows) {
  const Tensor x_TD = torch::tensor({{1.0, 5.0}, {3.0, 1.0}, {7.0, -2.0}});
  const SequenceLayout layout = SequenceLayout::of_lengths({2, 1});
  EXPECT_TRUE(torch::equal(pool_rows(x_TD, layout, Pooling::mean),
                           torch::tensor({{2.0, 3.0}, {7.0, -2.0}})));
  EXPECT_TRUE(torch::equal(pool_rows(x_TD, layout, Pooling::cls),
                           torch::tensor({{1.0, 5.0}, {7.0, -2.0}})));
  EXPECT_TRUE(torch::equal(pool_rows(x_TD, layout, Pooling::max),
                           torch::tensor({{3.0, 5.0}, {7.0, -2.0}})));
}

}  // namespace
}  // namespace tenfold::model

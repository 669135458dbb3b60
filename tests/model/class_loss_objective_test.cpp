// The classification objective with class weights, label smoothing and row weights against torch's
// cross-entropy. Not here: the loss of a row (tests/nn/class_loss_test.cpp).
#include <gtest/gtest.h>

#include "data/classification_collator.h"
#include "model/checkpoint.h"
#include "model/classification_objective.h"

namespace tenfold::model {
namespace {

std::vector<data::Example> labelled_examples() {
  std::vector<data::Example> examples(5);
  for (size_t i = 0; i < examples.size(); ++i) {
    examples[i].id = i;
    examples[i].sequences["tokens"] = {2, static_cast<int32_t>(5 + i), 7, 3};
    examples[i].labels = {static_cast<double>(i % 3)};
  }
  return examples;
}

TEST(ClassLossObjective, TheMeanIsThatOfTorchsCrossEntropy) {
  ModelDescription description;
  description.architecture = "BertForSequenceClassification";
  description.labels = {"a", "b", "c"};
  description.encoder.vocab_size = 20;
  description.encoder.hidden_size = 8;
  description.encoder.num_hidden_layers = description.encoder.num_attention_heads = 1;
  description.encoder.intermediate_size = 16;
  description.encoder.max_position_embeddings = 8;
  description.encoder.initializer_range = 0.5;
  const LoadedModel model = make_model(description, {.seed = 1});
  const std::vector<double> weights{0.5, 2, 1};
  const nn::ClassLoss loss{torch::tensor(weights, torch::kFloat32), 0.1};
  ClassificationObjective objective(model.classifier, loss);
  const data::Batch batch = data::ClassificationCollator(weights).collate(labelled_examples(), {});
  const StepContext context{.training = false, .seed = 0, .step = 0};
  const StepResult result = objective.step(*model.encoder, batch, context);
  const double mean = result.parts[0].sum.item<double>() / batch.denominators.at("classification");
  const Tensor logits_BC = objective.logits(*model.encoder, batch, context.pass(batch));
  const Tensor want = at::cross_entropy_loss(logits_BC, batch.field("labels"), loss.weights_C,
                                             at::Reduction::Mean, -100, 0.1);
  EXPECT_NEAR(mean, want.item<double>(), 1e-6);
}

}  // namespace
}  // namespace tenfold::model

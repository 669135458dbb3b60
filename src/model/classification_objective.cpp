// One forward pass, the classes of each sequence.
// Not here: the way from rows to classes (sequence_classifier.cpp).
#include "model/classification_objective.h"

namespace tenfold::model {

Tensor ClassificationObjective::logits(const Encoder& model, const data::Batch& batch,
                                       const PassContext& pass) const {
  const data::TokenBlock& tokens = batch.input("tokens");
  return classifier_->logits(model, model.forward(tokens, pass).hidden_TD, tokens.layout, pass);
}

StepResult ClassificationObjective::step(Encoder& model, const data::Batch& batch,
                                         const StepContext& context) {
  const Tensor logits_BC = logits(model, batch, context.pass(batch));
  const Tensor labels_B = batch.field("labels");
  Tensor loss_B = loss_.rows(logits_BC, labels_B);
  if (batch.fields.contains("weights")) loss_B = loss_B * batch.field("weights");
  const int64_t correct = (logits_BC.argmax(1) == labels_B).sum().item<int64_t>();
  return {.parts = {{.name = "classification", .sum = loss_B.sum()}},
          .counts = {{"correct", static_cast<double>(correct)}}};
}

}  // namespace tenfold::model

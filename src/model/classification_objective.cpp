// The cost of each sequence's classes.
// Not here: the forward pass (sequence_objectives.cpp).
#include "model/classification_objective.h"

namespace tenfold::model {

StepResult ClassificationObjective::judge(const Tensor& logits_BC, const data::Batch& batch) const {
  const Tensor labels_B = batch.field("labels");
  Tensor loss_B = loss_.rows(logits_BC, labels_B);
  if (batch.fields.contains("weights")) loss_B = loss_B * batch.field("weights");
  const int64_t correct = (logits_BC.argmax(1) == labels_B).sum().item<int64_t>();
  return {.parts = {{.name = "classification", .sum = loss_B.sum()}},
          .counts = {{"correct", static_cast<double>(correct)}}};
}

}  // namespace tenfold::model

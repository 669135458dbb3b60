// Squared errors, binary cross-entropies, and a softmax over choices.
// Not here: the heads (sequence_classifier.cpp).
#include "model/sequence_objectives.h"

#include <limits>

namespace tenfold::model {

Tensor SequenceObjective::logits(const Encoder& model, const data::Batch& batch,
                                 const PassContext& pass) const {
  const data::TokenBlock& tokens = batch.input("tokens");
  return head_->logits(model, model.first_rows(tokens, pass), tokens.layout, pass);
}

StepResult RegressionObjective::judge(const Tensor& logits_B1, const data::Batch& batch) const {
  const Tensor targets_B1 = batch.field("targets").to(logits_B1.scalar_type());
  return {.parts = {{.name = "regression", .sum = (logits_B1 - targets_B1).square().sum()}},
          .counts = {}};
}

StepResult MultiLabelObjective::judge(const Tensor& logits_BC, const data::Batch& batch) const {
  const Tensor targets_BC = batch.field("targets").to(logits_BC.scalar_type());
  const Tensor loss_BC =
      at::binary_cross_entropy_with_logits(logits_BC, targets_BC, {}, {}, at::Reduction::None);
  const Tensor right_BC = logits_BC.gt(0).eq(targets_BC.gt(0.5));
  return {.parts = {{.name = "multi_label", .sum = loss_BC.sum()}},
          .counts = {{"correct", right_BC.sum().item<double>()}}};
}

Tensor ChoiceObjective::choices(const Tensor& logits_S1, const data::Batch& batch) {
  const Tensor choices_BC = batch.field("choices");
  return logits_S1.squeeze(1)
      .index_select(0, choices_BC.clamp_min(0).flatten())
      .view(choices_BC.sizes())
      .masked_fill(choices_BC.lt(0), -std::numeric_limits<double>::infinity());
}

StepResult ChoiceObjective::judge(const Tensor& logits_S1, const data::Batch& batch) const {
  const Tensor logits_BC = choices(logits_S1, batch);
  const Tensor labels_B = batch.field("labels");
  const Tensor loss_B = -at::log_softmax(logits_BC, 1).gather(1, labels_B.unsqueeze(1));
  const int64_t correct = (logits_BC.argmax(1) == labels_B).sum().item<int64_t>();
  return {.parts = {{.name = "choice", .sum = loss_B.sum()}},
          .counts = {{"correct", static_cast<double>(correct)}}};
}

}  // namespace tenfold::model

// Pooled rows through dropout and one linear layer.
// Not here: pooling (the encoder's).
#include "model/classification_objective.h"

#include "support/rng.h"

namespace tenfold::model {

Tensor ClassificationObjective::logits(const Encoder& model, const data::Batch& batch,
                                       const PassContext& pass) const {
  const data::TokenBlock& tokens = batch.input("tokens");
  Tensor pooled_BD = model.pool(model.forward(tokens, pass).hidden_TD, tokens.layout);
  const double dropout = dropout_ < 0 ? model.config().hidden_dropout_prob : dropout_;
  if (pass.training && dropout > 0) {
    const Tensor keys_B = row_keys(pass, tokens.layout).index_select(0, tokens.layout.first_rows());
    pooled_BD =
        dropout_rows(pooled_BD, keys_B.to(pooled_BD.device()), key_of_name("classifier"), dropout);
  }
  return classifier_->forward(pooled_BD);
}

StepResult ClassificationObjective::step(Encoder& model, const data::Batch& batch,
                                         const StepContext& context) {
  const Tensor logits_BC = logits(model, batch, context.pass(batch));
  const Tensor labels_B = batch.field("labels");
  Tensor loss_B = -at::log_softmax(logits_BC, 1).gather(1, labels_B.unsqueeze(1)).squeeze(1);
  if (batch.fields.contains("weights")) loss_B = loss_B * batch.field("weights");
  const int64_t correct = (logits_BC.argmax(1) == labels_B).sum().item<int64_t>();
  return {.parts = {{.name = "classification", .sum = loss_B.sum()}},
          .counts = {{"correct", static_cast<double>(correct)}}};
}

}  // namespace tenfold::model

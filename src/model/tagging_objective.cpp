// The words' rows among all rows.
// Not here: tags as text.
#include "model/tagging_objective.h"

namespace tenfold::model {

Tensor TaggingObjective::logits(const Encoder& model, const data::Batch& batch,
                                const PassContext& pass) const {
  const data::TokenBlock& tokens = batch.input("tokens");
  return head_->logits(model.forward(tokens, pass).hidden_TD, tokens.layout, pass)
      .index_select(0, batch.field("word_rows"));
}

StepResult TaggingObjective::step(Encoder& model, const data::Batch& batch,
                                  const StepContext& context) {
  return judge(logits(model, batch, context.pass(batch)), batch);
}

StepResult TaggingObjective::judge(const Tensor& logits_WC, const data::Batch& batch) const {
  const Tensor tags_W = batch.field("tags");
  const Tensor scored_R = tags_W.ge(0).nonzero().squeeze(1);
  const Tensor logits_RC = logits_WC.index_select(0, scored_R);
  const Tensor tags_R = tags_W.index_select(0, scored_R);
  const Tensor loss_R = loss_.rows(logits_RC, tags_R);
  const int64_t correct = (logits_RC.argmax(1) == tags_R).sum().item<int64_t>();
  return {.parts = {{.name = "tagging", .sum = loss_R.sum()}},
          .counts = {{"correct", static_cast<double>(correct)}}};
}

}  // namespace tenfold::model

// One forward pass, the vocabulary on the masked rows.
// Not here: the head (heads.cpp).
#include "model/mlm_objective.h"

namespace tenfold::model {

StepResult MlmObjective::step(Encoder& model, const data::Batch& batch,
                              const StepContext& context) {
  const Tensor hidden_PD = model
                               .forward(batch.input("tokens"), context.pass(batch),
                                        {.rows_P = batch.field("predicted_T")})
                               .hidden_TD;
  const nn::VocabularyLoss loss =
      head_->loss(hidden_PD, model.word_embeddings_VE(), batch.field("label_ids"));
  return {.parts = {{.name = "mlm", .sum = loss.sum}},
          .counts = {{"mlm_correct", static_cast<double>(loss.correct.item<int64_t>())}}};
}

}  // namespace tenfold::model

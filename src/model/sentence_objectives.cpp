// From packed texts to vectors, and which of them are compared.
// Not here: the losses (sentence_losses.cpp).
#include "model/sentence_objectives.h"

#include "model/sentence_losses.h"

namespace tenfold::model {
namespace {

/// Cosines of the texts 2 b and 2 b + 1.
Tensor pair_cosines(const Tensor& vectors_SD) {
  const Tensor pairs_B2D = vectors_SD.view({-1, 2, vectors_SD.size(1)});
  return cosines(pairs_B2D.select(1, 0), pairs_B2D.select(1, 1));
}

}  // namespace

void SentenceOptions::fields(config::FieldVisitor& v) {
  v.field("pooling", pooling, "how rows become a vector",
          {{"mean", Pooling::mean}, {"cls", Pooling::cls}, {"max", Pooling::max}});
  v.field("scale", scale, "of cosines before a softmax: 1 / temperature", config::above(0));
}

Tensor SentenceObjective::vectors(const Encoder& model, const data::Batch& batch,
                                  const PassContext& pass) const {
  return text_vectors(model, batch.input("tokens"), pass, options_.pooling);
}

StepResult ContrastiveObjective::judge(const Tensor& vectors_SD, const data::Batch& batch) const {
  const Tensor anchors_BD = vectors_SD.index_select(0, batch.field("anchors"));
  const Tensor candidates_CD = vectors_SD.index_select(0, batch.field("candidates"));
  const Tensor allowed_BC = batch.field("allowed");
  const Tensor best_B = cosine_matrix(anchors_BD.detach(), candidates_CD.detach())
                            .masked_fill(allowed_BC.logical_not(), -2)
                            .argmax(1);
  const Tensor right_B = torch::arange(best_B.size(0), best_B.options());
  return {
      .parts = {{.name = "contrastive",
                 .sum = contrastive_loss(anchors_BD, candidates_CD, allowed_BC, options().scale)}},
      .counts = {{"correct", best_B.eq(right_B).sum().item<double>()}}};
}

StepResult CosentObjective::judge(const Tensor& vectors_SD, const data::Batch& batch) const {
  return {.parts = {{.name = "cosent",
                     .sum = cosent_loss(pair_cosines(vectors_SD), batch.field("scores"),
                                        options().scale)}},
          .counts = {}};
}

StepResult CosineObjective::judge(const Tensor& vectors_SD, const data::Batch& batch) const {
  const Tensor cosines_B = pair_cosines(vectors_SD);
  const Tensor scores_B = batch.field("scores").to(cosines_B.scalar_type());
  return {.parts = {{.name = "cosine", .sum = (cosines_B - scores_B).square().sum()}},
          .counts = {}};
}

}  // namespace tenfold::model

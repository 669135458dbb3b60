// Cosines and what is asked of them.
// Not here: the encoder.
#include "model/sentence_losses.h"

#include <limits>

namespace tenfold::model {

Tensor unit_rows(const Tensor& x_BD) { return x_BD / x_BD.norm(2, {1}, true).clamp_min(1e-12); }

Tensor cosine_matrix(const Tensor& a_BD, const Tensor& b_CD) {
  return unit_rows(a_BD).matmul(unit_rows(b_CD).t());
}

Tensor cosines(const Tensor& a_PD, const Tensor& b_PD) {
  return (unit_rows(a_PD) * unit_rows(b_PD)).sum(1);
}

Tensor contrastive_loss(const Tensor& anchors_BD, const Tensor& candidates_CD,
                        const Tensor& allowed_BC, double scale) {
  const Tensor logits_BC =
      (cosine_matrix(anchors_BD, candidates_CD) * scale)
          .masked_fill(allowed_BC.logical_not(), -std::numeric_limits<double>::infinity());
  return (logits_BC.logsumexp(1) - logits_BC.diagonal()).sum();
}

Tensor cosent_loss(const Tensor& cosines_P, const Tensor& scores_P, double scale) {
  const Tensor wrong_PP = (cosines_P.unsqueeze(0) - cosines_P.unsqueeze(1)) * scale;
  const Tensor counts_PP = scores_P.unsqueeze(1).gt(scores_P.unsqueeze(0));
  const Tensor terms =
      torch::cat({wrong_PP.masked_select(counts_PP), torch::zeros({1}, cosines_P.options())});
  return terms.logsumexp(0);
}

}  // namespace tenfold::model

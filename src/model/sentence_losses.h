// Unit vectors, cosines and losses on the vectors of sentences, as functions of the vectors alone.
// Not here: pooling, or which texts are compared (data/group_collators.h).
//
// B rows, C candidates, P pairs, D width.
#pragma once

#include "tensor/torch.h"

namespace tenfold::model {

/// Rows of length 1; a row of zeros stays one.
Tensor unit_rows(const Tensor& x_BD);

/// Cosine of every pair of rows, [B, C]; and of rows at equal places, [P].
Tensor cosine_matrix(const Tensor& a_BD, const Tensor& b_CD);
Tensor cosines(const Tensor& a_PD, const Tensor& b_PD);

/// Sum over rows of the cross-entropy that row b picks candidate b by scale * cosine among the
/// candidates it is `allowed` to (bool [B, C]): in-batch negatives (Henderson et al. 2017,
/// "Efficient Natural Language Response Suggestion", section 4.4).
Tensor contrastive_loss(const Tensor& anchors_BD, const Tensor& candidates_CD,
                        const Tensor& allowed_BC, double scale);

/// log(1 + sum over pairs i, j with score_i > score_j of exp(scale (cos_j - cos_i))), 0-d: pairs
/// that people find more alike shall have the larger cosine (Su 2022, "CoSENT").
Tensor cosent_loss(const Tensor& cosines_P, const Tensor& scores_P, double scale);

}  // namespace tenfold::model

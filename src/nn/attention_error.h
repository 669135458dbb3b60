// How far one kind of attention is from softmax on the queries, keys and values of a model's layer.
// Not here: which layers or texts (the program's inspect command).
#pragma once

#include "nn/projected_attention.h"

namespace tenfold::nn {

/// Of one layer, all heads; x^ is a query or key times the root of the scores' scale, so that
/// softmax's weights are exp(q^ . k^) up to a factor.
struct AttentionError {
  double relative = 0;    ///< |other - softmax| / |softmax| over all outputs
  double uniform = 0;     ///< the same of even weights, which learn nothing from scores
  double query_norm = 0;  ///< mean |q^|^2
  double key_norm = 0;    ///< mean |k^|^2
  double sum_norm = 0;    ///< mean |q^ + k^|^2 over pairs: random features' error grows with
                          ///< its exponential (arXiv 2009.14794, lemma 2)
};

/// `layer` projects the hidden states of one sequence, x_TD; softmax and `other` (of the same
/// heads) mix what it gives, every token seeing all. No gradients.
AttentionError attention_error(const ProjectedAttention& layer, const ProjectedAttention& other,
                               const Tensor& x_TD);

}  // namespace tenfold::nn

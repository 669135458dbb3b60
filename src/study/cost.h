// What a training run takes in arithmetic: a count from the model's shape and the tokens it saw.
// Not here: measuring time, or the arithmetic of a processor (norms, softmax and activations are
// left out, as is recomputing in the backward pass).
//
// D width, I feed-forward width, V vocabulary, K classes.
#pragma once

#include <cstdint>

#include "model/config.h"

namespace tenfold::study {

/// What went through a model. There is no padding to count.
struct Passed {
  double tokens = 0;
  double attended = 0;    ///< over all tokens, the tokens each sees: a row of length n adds n * n
  double predicted = 0;   ///< rows of the vocabulary head
  double classified = 0;  ///< rows of the classifier
  int64_t classes = 0;
};

/// Of one forward pass, a multiplication and an addition counting as two:
///   a layer     tokens (2 D^2 + 4 D I) + what its attention takes (nn::attention_flops)
///               (output; feed-forward; of softmax tokens * 6 D^2 + attended * 4 D)
///   vocabulary  predicted (2 D^2 + 2 D V)
///   classifier  classified (2 D^2 + 2 D K)
/// Embeddings are looked up and cost nothing.
double forward_flops(const model::EncoderConfig& shape, const Passed& passed);

/// Forward and backward: three times the forward pass, because each product has two gradients.
double training_flops(const model::EncoderConfig& shape, const Passed& passed);

}  // namespace tenfold::study

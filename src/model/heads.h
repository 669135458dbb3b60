// What stands on an encoder: the vocabulary head and the classifier.
// Not here: which rows are predicted or what the labels are (collators), or losses in total
// (objectives).
//
// P predicted rows, D width, V vocabulary, C classes.
#pragma once

#include <cstdint>
#include <memory>

#include "model/config.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// Sum of -log softmax(h W^T + b)[label] over rows, and how many rows have their label on top.
/// Works in chunks of rows, so the logits [P, V] are never stored whole; the gradient is computed
/// with the value. h [P, D], W [V, D], b [V], labels int64 [P].
struct VocabularyLoss {
  Tensor sum;      ///< 0-d
  Tensor correct;  ///< 0-d int64
};
VocabularyLoss vocabulary_loss(const Tensor& hidden_PD, const Tensor& weight_VD,
                               const Tensor& bias_V, const Tensor& labels_P);
/// The same by plain operators, for tests.
VocabularyLoss vocabulary_loss_reference(const Tensor& hidden_PD, const Tensor& weight_VD,
                                         const Tensor& bias_V, const Tensor& labels_P);

/// BERT's masked-language-model head: LN(act(h W + b)), then a product with the word embeddings,
/// tied to the encoder's. Parameters below "cls.predictions.": "transform.dense.*",
/// "transform.LayerNorm.*", "bias".
class MlmHead : public torch::nn::Module {
 public:
  MlmHead(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options);

  Tensor transform(const Tensor& hidden_PD) const;                                 ///< [P, D]
  Tensor logits(const Tensor& hidden_PD, const Tensor& word_embeddings_VD) const;  ///< [P, V]
  VocabularyLoss loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VD,
                      const Tensor& labels_P) const;

 private:
  nn::Activation activation_;
  std::shared_ptr<nn::Linear> dense_;
  std::shared_ptr<nn::LayerNorm> norm_;
  Tensor bias_V_;
};

/// One linear layer on the pooled vector. Parameters below "classifier.".
std::shared_ptr<nn::Linear> make_classifier(const EncoderConfig& config, int64_t classes,
                                            uint64_t seed, torch::TensorOptions options);

}  // namespace tenfold::model

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
#include "nn/vocabulary_loss.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// BERT's masked-language-model head: LN(act(h W + b)), then a product with the word embeddings,
/// tied to the encoder's. Parameters below "cls.predictions.": "transform.dense.*",
/// "transform.LayerNorm.*", "bias".
class MlmHead : public torch::nn::Module {
 public:
  MlmHead(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options);

  Tensor transform(const Tensor& hidden_PD) const;                                 ///< [P, D]
  Tensor logits(const Tensor& hidden_PD, const Tensor& word_embeddings_VD) const;  ///< [P, V]
  nn::VocabularyLoss loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VD,
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

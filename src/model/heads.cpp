// The vocabulary head and the classifier.
// Not here: pooling (the encoder's).
#include "model/heads.h"

#include "model/module_group.h"
#include "nn/filler.h"
#include "nn/product.h"
#include "support/rng.h"

namespace tenfold::model {

MlmHead::MlmHead(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options)
    : activation_(nn::parse_activation(config.hidden_act)) {
  const nn::LinearSpec spec{.in = config.hidden_size,
                            .out = config.hidden_size,
                            .bias = true,
                            .initializer_range = config.initializer_range};
  auto transform = register_module("transform", std::make_shared<ModuleGroup>());
  dense_ = transform->add("dense", std::make_shared<nn::Linear>(
                                       spec, combine_keys(seed, key_of_name("mlm-head")), options));
  norm_ = transform->add("LayerNorm", std::make_shared<nn::LayerNorm>(
                                          config.hidden_size, config.layer_norm_eps, options));
  bias_V_ = register_parameter("bias", torch::zeros({config.vocab_size}, options));
}

Tensor MlmHead::transform(const Tensor& hidden_PD) const {
  return norm_->forward(dense_->forward(hidden_PD, activation_));
}

Tensor MlmHead::logits(const Tensor& hidden_PD, const Tensor& word_embeddings_VD) const {
  return nn::linear_product(transform(hidden_PD), word_embeddings_VD, bias_V_);
}

nn::VocabularyLoss MlmHead::loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VD,
                                 const Tensor& labels_P) const {
  return nn::vocabulary_loss(transform(nn::with_filler_rows(hidden_PD)), word_embeddings_VD,
                             bias_V_, labels_P);
}

std::shared_ptr<nn::Linear> make_classifier(const EncoderConfig& config, int64_t classes,
                                            uint64_t seed, torch::TensorOptions options) {
  return std::make_shared<nn::Linear>(nn::LinearSpec{.in = config.hidden_size,
                                                     .out = classes,
                                                     .bias = true,
                                                     .initializer_range = config.initializer_range},
                                      combine_keys(seed, key_of_name("classifier")), options);
}

}  // namespace tenfold::model

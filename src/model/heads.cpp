// The heads on rows, built under their families' names.
// Not here: pooling (the encoder's).
#include "model/heads.h"

#include "model/module_group.h"
#include "nn/filler.h"
#include "nn/product.h"
#include "support/rng.h"

namespace tenfold::model {
namespace {

/// Scores in the number format of the parameters, whatever format the rows have.
Tensor row_scores(const nn::Linear& linear, const Tensor& x_TD) {
  return linear.forward(x_TD).to(linear.weight.scalar_type());
}

}  // namespace

std::shared_ptr<nn::Linear> head_linear(const HeadSpec& spec, int64_t in, int64_t out,
                                        std::string_view name) {
  return std::make_shared<nn::Linear>(
      nn::LinearSpec{
          .in = in, .out = out, .bias = true, .initializer_range = spec.encoder.initializer_range},
      combine_keys(spec.seed, key_of_name(name)), spec.tensors);
}

/// A vocabulary head before it knows its place in the checkpoint.
struct MlmHead::Parts {
  std::string prefix;
  std::shared_ptr<ModuleGroup> root = std::make_shared<ModuleGroup>();
  nn::Activation activation = nn::Activation::gelu;  // but for BERT whatever hidden_act says
  std::shared_ptr<nn::Linear> dense;
  std::shared_ptr<nn::LayerNorm> norm;
  Tensor bias_V;

  Parts(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options)
      : dense(head_linear({.encoder = config, .seed = seed, .tensors = options}, config.hidden_size,
                          config.embedding_width(), "mlm-head")),
        norm(std::make_shared<nn::LayerNorm>(config.embedding_width(), config.layer_norm_eps,
                                             options)),
        bias_V(torch::zeros({config.vocab_size}, options)) {
    if (config.family == "electra") {
      auto transform = root->add("generator_predictions", std::make_shared<ModuleGroup>());
      transform->add("LayerNorm", norm);
      transform->add("dense", dense);
      bias_V = root->add("generator_lm_head", std::make_shared<ModuleGroup>())->add("bias", bias_V);
    } else if (config.family == "roberta") {
      prefix = "lm_head.";
      root->add("dense", dense);
      root->add("layer_norm", norm);
      bias_V = root->add("bias", bias_V);
    } else {
      prefix = "cls.predictions.";
      activation = nn::parse_activation(config.hidden_act);
      auto transform = root->add("transform", std::make_shared<ModuleGroup>());
      transform->add("dense", dense);
      transform->add("LayerNorm", norm);
      bias_V = root->add("bias", bias_V);
    }
  }
};

MlmHead::MlmHead(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options)
    : MlmHead(Parts(config, seed, options)) {}

MlmHead::MlmHead(Parts parts)
    : TaskHead(std::move(parts.prefix), parts.root),
      activation_(parts.activation),
      dense_(std::move(parts.dense)),
      norm_(std::move(parts.norm)),
      bias_V_(std::move(parts.bias_V)) {}

Tensor MlmHead::transform(const Tensor& hidden_PD) const {
  return norm_->forward(dense_->forward(hidden_PD, activation_));
}

Tensor MlmHead::logits(const Tensor& hidden_PD, const Tensor& word_embeddings_VE) const {
  return nn::linear_product(transform(hidden_PD), word_embeddings_VE, bias_V_);
}

nn::VocabularyLoss MlmHead::loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VE,
                                 const Tensor& labels_P) const {
  return nn::vocabulary_loss(transform(nn::with_filler_rows(hidden_PD)), word_embeddings_VE,
                             bias_V_, labels_P);
}

TokenClassifier::TokenClassifier(const HeadSpec& spec)
    : TokenClassifier(
          spec, head_linear(spec, spec.encoder.hidden_size, spec.outputs, "token-classifier")) {}

TokenClassifier::TokenClassifier(const HeadSpec& spec, std::shared_ptr<nn::Linear> linear)
    : TaskHead("classifier.", linear), dropout_(spec.dropout), linear_(std::move(linear)) {}

Tensor TokenClassifier::logits(const Tensor& hidden_TD, const SequenceLayout& layout,
                               const PassContext& pass) const {
  if (!pass.training || dropout_ == 0) return row_scores(*linear_, hidden_TD);
  const Tensor keys_T = row_keys(pass, layout).to(hidden_TD.device());
  return row_scores(*linear_,
                    dropout_rows(hidden_TD, keys_T, key_of_name("token-classifier"), dropout_));
}

SpanHead::SpanHead(const HeadSpec& spec)
    : SpanHead(head_linear(spec, spec.encoder.hidden_size, 2, "span")) {}

SpanHead::SpanHead(std::shared_ptr<nn::Linear> linear)
    : TaskHead("qa_outputs.", linear), linear_(std::move(linear)) {}

SpanLogits SpanHead::logits(const Tensor& hidden_TD) const {
  const Tensor both_T2 = row_scores(*linear_, hidden_TD);
  return {.start_T = both_T2.select(1, 0), .end_T = both_T2.select(1, 1)};
}

struct ReplacedTokenHead::Parts {
  std::shared_ptr<ModuleGroup> root = std::make_shared<ModuleGroup>();
  nn::Activation activation;
  std::shared_ptr<nn::Linear> dense, prediction;

  explicit Parts(const HeadSpec& spec)
      : activation(nn::parse_activation(spec.encoder.hidden_act)),
        dense(root->add("dense", head_linear(spec, spec.encoder.hidden_size,
                                             spec.encoder.hidden_size, "replaced-token-dense"))),
        prediction(root->add("dense_prediction",
                             head_linear(spec, spec.encoder.hidden_size, 1, "replaced-token"))) {}
};

ReplacedTokenHead::ReplacedTokenHead(const HeadSpec& spec) : ReplacedTokenHead(Parts(spec)) {}

ReplacedTokenHead::ReplacedTokenHead(Parts parts)
    : TaskHead("discriminator_predictions.", parts.root),
      activation_(parts.activation),
      dense_(std::move(parts.dense)),
      prediction_(std::move(parts.prediction)) {}

Tensor ReplacedTokenHead::logits(const Tensor& hidden_TD) const {
  return row_scores(*prediction_, dense_->forward(hidden_TD, activation_)).squeeze(1);
}

}  // namespace tenfold::model

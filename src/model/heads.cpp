// The vocabulary head with its chunked loss, and the classifier.
// Not here: pooling (the encoder's).
#include "model/heads.h"

#include "model/module_group.h"
#include "support/rng.h"

namespace tenfold::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kChunkElements = 1 << 24;  // logits held at a time: 64 MiB of fp32

/// Value and gradient in one sweep: the softmax of a chunk is at hand when its loss is.
class ChunkedVocabularyLoss : public torch::autograd::Function<ChunkedVocabularyLoss> {
 public:
  static variable_list forward(AutogradContext* context, const Tensor& hidden_PD,
                               const Tensor& weight_VD, const Tensor& bias_V,
                               const Tensor& labels_P, bool with_gradient) {
    const int64_t rows = hidden_PD.size(0), vocabulary = weight_VD.size(0);
    const int64_t chunk = std::max<int64_t>(1, kChunkElements / std::max<int64_t>(1, vocabulary));
    const bool narrow =
        hidden_PD.scalar_type() == at::kBFloat16 || hidden_PD.scalar_type() == at::kHalf;
    const auto wide = narrow ? at::kFloat : hidden_PD.scalar_type();
    Tensor sum = torch::zeros({}, hidden_PD.options().dtype(wide));
    Tensor correct = torch::zeros({}, labels_P.options());
    Tensor hidden_gradient_PD, weight_gradient_VD, bias_gradient_V;
    if (with_gradient) {
      hidden_gradient_PD = torch::empty_like(hidden_PD);
      weight_gradient_VD = torch::zeros_like(weight_VD);
      bias_gradient_V = torch::zeros_like(bias_V);
    }
    for (int64_t begin = 0; begin < rows; begin += chunk) {
      const int64_t end = std::min(rows, begin + chunk);
      const Tensor h = hidden_PD.slice(0, begin, end);
      const Tensor labels = labels_P.slice(0, begin, end).unsqueeze(1);
      Tensor logits = at::addmm(bias_V, h, weight_VD.t()).to(wide);
      correct += (logits.argmax(1, true) == labels).sum();
      Tensor log_probability = at::log_softmax(logits, 1);
      sum -= log_probability.gather(1, labels).sum();
      if (!with_gradient) continue;
      Tensor slope = log_probability.exp_();
      slope.scatter_add_(1, labels, -torch::ones(labels.sizes(), slope.options()));
      slope = slope.to(hidden_PD.scalar_type());
      hidden_gradient_PD.slice(0, begin, end).copy_(slope.mm(weight_VD));
      weight_gradient_VD.addmm_(slope.t(), h);
      bias_gradient_V += slope.sum(0);
    }
    if (with_gradient)
      context->save_for_backward({hidden_gradient_PD, weight_gradient_VD, bias_gradient_V});
    context->mark_non_differentiable({correct});
    return {sum, correct};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto scaled = [&](const Tensor& g) { return g * gradients[0].to(g.scalar_type()); };
    return {scaled(saved[0]), scaled(saved[1]), scaled(saved[2]), Tensor(), Tensor()};
  }
};

}  // namespace

VocabularyLoss vocabulary_loss(const Tensor& hidden_PD, const Tensor& weight_VD,
                               const Tensor& bias_V, const Tensor& labels_P) {
  const bool with_gradient =
      torch::GradMode::is_enabled() &&
      (hidden_PD.requires_grad() || weight_VD.requires_grad() || bias_V.requires_grad());
  const auto out =
      ChunkedVocabularyLoss::apply(hidden_PD, weight_VD, bias_V, labels_P, with_gradient);
  return {out[0], out[1]};
}

VocabularyLoss vocabulary_loss_reference(const Tensor& hidden_PD, const Tensor& weight_VD,
                                         const Tensor& bias_V, const Tensor& labels_P) {
  const Tensor logits_PV = at::addmm(bias_V, hidden_PD, weight_VD.t());
  const Tensor picked = at::log_softmax(logits_PV, 1).gather(1, labels_P.unsqueeze(1));
  return {-picked.sum(), (logits_PV.argmax(1) == labels_P).sum()};
}

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
  return at::addmm(bias_V_, transform(hidden_PD), word_embeddings_VD.t());
}

VocabularyLoss MlmHead::loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VD,
                             const Tensor& labels_P) const {
  return vocabulary_loss(transform(hidden_PD), word_embeddings_VD, bias_V_, labels_P);
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

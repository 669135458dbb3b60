// The families' ways from a sequence to its numbers.
// Not here: the pooled vector (encoder.cpp).
#include "model/sequence_classifier.h"

#include "model/module_group.h"
#include "support/rng.h"

namespace tenfold::model {
namespace {

/// Dropout on one vector a sequence, keyed by its first row.
Tensor drop_sequences(const Tensor& x_BD, const SequenceLayout& layout, const PassContext& pass,
                      std::string_view site, double p) {
  if (!pass.training || p == 0) return x_BD;
  const Tensor keys_B = row_keys(pass, layout).index_select(0, layout.first_rows());
  return dropout_rows(x_BD, keys_B.to(x_BD.device()), key_of_name(site), p);
}

/// One linear layer on the pooled vector (Devlin et al. 2018, BERT, section 4.1).
class PooledClassifier final : public SequenceClassifier {
 public:
  explicit PooledClassifier(const HeadSpec& spec)
      : PooledClassifier(spec,
                         head_linear(spec, spec.encoder.hidden_size, spec.outputs, "classifier")) {}

  Tensor logits(const Encoder& encoder, const Tensor& first_BD, const SequenceLayout& layout,
                const PassContext& pass) const override {
    const Tensor pooled_BD = encoder.pool(first_BD);
    return linear_->forward(drop_sequences(pooled_BD, layout, pass, "classifier", dropout_));
  }

 private:
  PooledClassifier(const HeadSpec& spec, std::shared_ptr<nn::Linear> linear)
      : SequenceClassifier("classifier.", linear),
        dropout_(spec.dropout),
        linear_(std::move(linear)) {}

  double dropout_;
  std::shared_ptr<nn::Linear> linear_;
};

/// Dropout, a dense layer, an activation, dropout and a linear layer on the first row.
class DenseClassifier final : public SequenceClassifier {
 public:
  struct Parts {
    std::string prefix = {};
    std::shared_ptr<ModuleGroup> root = std::make_shared<ModuleGroup>();
    std::shared_ptr<nn::Linear> dense = {};  // none: the row itself
    nn::Activation activation = nn::Activation::none;
    double first_dropout = 0, last_dropout = 0;
    std::shared_ptr<nn::Linear> out = {};
  };

  explicit DenseClassifier(Parts parts)
      : SequenceClassifier(parts.prefix, parts.root), parts_(std::move(parts)) {}

  Tensor logits(const Encoder& /*encoder*/, const Tensor& first_BD, const SequenceLayout& layout,
                const PassContext& pass) const override {
    Tensor x_BD = drop_sequences(first_BD, layout, pass, "classifier-in", parts_.first_dropout);
    x_BD = parts_.dense ? parts_.dense->forward(x_BD, parts_.activation)
                        : nn::activate(x_BD, parts_.activation);
    return parts_.out->forward(
        drop_sequences(x_BD, layout, pass, "classifier", parts_.last_dropout));
  }

 private:
  Parts parts_;
};

}  // namespace

std::shared_ptr<SequenceClassifier> make_sequence_classifier(const HeadSpec& spec) {
  const EncoderConfig& encoder = spec.encoder;
  if (encoder.family == "bert") return std::make_shared<PooledClassifier>(spec);
  const int64_t width = encoder.hidden_size;
  DenseClassifier::Parts parts{
      .prefix = "classifier.",
      .activation = encoder.family == "electra" ? nn::Activation::gelu : nn::Activation::tanh,
      .first_dropout = spec.dropout,
      .last_dropout = spec.dropout};
  parts.dense = parts.root->add("dense", head_linear(spec, width, width, "classifier-dense"));
  parts.out = parts.root->add("out_proj", head_linear(spec, width, spec.outputs, "classifier"));
  return std::make_shared<DenseClassifier>(std::move(parts));
}

std::shared_ptr<SequenceClassifier> make_choice_head(const HeadSpec& spec,
                                                     const SummaryOptions& summary) {
  HeadSpec single = spec;
  single.outputs = 1;
  if (spec.encoder.family != "electra") return std::make_shared<PooledClassifier>(single);
  const int64_t width = spec.encoder.hidden_size;
  DenseClassifier::Parts parts{.activation = summary.activation,
                               .first_dropout = summary.first_dropout,
                               .last_dropout = summary.last_dropout};
  if (summary.project) {
    parts.dense = parts.root->add("sequence_summary", std::make_shared<ModuleGroup>())
                      ->add("summary", head_linear(spec, width, width, "choice-summary"));
  }
  parts.out = parts.root->add("classifier", head_linear(spec, width, 1, "classifier"));
  return std::make_shared<DenseClassifier>(std::move(parts));
}

}  // namespace tenfold::model

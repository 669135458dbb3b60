// Modules from a description: which heads a model has and what they are made of.
// Not here: stored weights (checkpoint.cpp).
#include "model/assemble.h"

#include "support/fail.h"
#include "support/rng.h"
#include "tensor/init.h"

namespace tenfold::model {
namespace {

HeadSpec head_spec(const ModelDescription& description, const LoadOptions& options) {
  const double dropout = description.classifier_dropout;
  return {.encoder = description.encoder,
          .outputs = static_cast<int64_t>(description.labels.size()),
          .dropout = dropout < 0 ? description.encoder.hidden_dropout_prob : dropout,
          .seed = options.seed,
          .tensors = options.tensors};
}

/// Labels, problem and architecture of the head that is made.
void describe_head(ModelDescription& description, Head head, const LoadOptions& options) {
  if (options.head != Head::as_stored)
    description.architecture = description.family().architecture(head);
  if (head != Head::classifier && head != Head::token_classifier) {
    description.labels.clear();
    return;
  }
  if (!options.labels.empty()) {
    if (options.labels != description.labels) {
      description.problem =
          options.labels.size() == 1 ? ProblemType::regression : ProblemType::single_label;
    }
    description.labels = options.labels;
  }
  if (options.problem) description.problem = *options.problem;
  require(!description.labels.empty(), ErrorKind::checkpoint, "model",
          "the classifier has no labels (id2label in config.json)");
}

void make_head(LoadedModel& model, Head head, const LoadOptions& options) {
  const HeadSpec spec = head_spec(model.description, options);
  switch (head) {
    case Head::as_stored:
    case Head::none: break;
    case Head::mlm:
      model.mlm = std::make_shared<MlmHead>(spec.encoder, options.seed, options.tensors);
      break;
    case Head::classifier: model.classifier = make_sequence_classifier(spec); break;
    case Head::token_classifier:
      model.token_classifier = std::make_shared<TokenClassifier>(spec);
      break;
    case Head::span: model.span = std::make_shared<SpanHead>(spec); break;
    case Head::choice: model.choice = make_choice_head(spec, model.description.summary); break;
    case Head::replaced_token:
      model.replaced_token = std::make_shared<ReplacedTokenHead>(spec);
      break;
  }
}

}  // namespace

LoadedModel assemble(const ModelDescription& description, const LoadOptions& options,
                     StoredEncoder stored) {
  LoadedModel model;
  model.description = description;
  const EncoderConfig& config = description.encoder;
  const bool as_stored = options.head == Head::as_stored;
  const Head head = as_stored ? description.head() : options.head;
  const bool next_sentence = as_stored && description.architecture == "BertForPreTraining";
  // A pooler that nobody reads is kept where the model is taken as it is, and left out of training.
  const bool stored_pooler = stored == StoredEncoder::with_pooler;
  const bool pooler = description.family().needs_pooler(head) || next_sentence ||
                      (stored_pooler && (as_stored || head == Head::none));
  {
    const UninitialisedWeights guard(stored_pooler ||
                                     (stored == StoredEncoder::without_pooler && !pooler));
    model.encoder = std::make_shared<Encoder>(config, pooler ? Pooler::tanh : Pooler::none,
                                              options.seed, options.tensors);
  }
  describe_head(model.description, head, options);
  make_head(model, head, options);
  if (next_sentence) {
    model.next_sentence =
        head_linear(head_spec(model.description, options), config.hidden_size, 2, "classifier");
  }
  return model;
}

OwnedModule LoadedModel::encoder_module() const {
  return {.prefix = std::string(description.family().encoder_prefix), .module = encoder};
}

std::vector<OwnedModule> LoadedModel::modules() const {
  std::vector<OwnedModule> all{encoder_module()};
  const auto add = [&](const TaskHead* head) {
    if (head != nullptr) all.push_back(head->owned());
  };
  add(mlm.get());
  if (next_sentence) all.push_back({.prefix = "cls.seq_relationship.", .module = next_sentence});
  add(classifier.get());
  add(token_classifier.get());
  add(span.get());
  add(choice.get());
  add(replaced_token.get());
  return all;
}

LoadedModel make_model(const ModelDescription& description, const LoadOptions& options) {
  description.encoder.validate("model");
  return assemble(description, options, StoredEncoder::none);
}

}  // namespace tenfold::model

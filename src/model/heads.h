// What stands on an encoder and looks at its rows: the vocabulary, token classes, spans, replaced
// tokens. Not here: heads that look at whole sequences (sequence_classifier.h), which rows are
// predicted or what the labels are (collators), or losses in total (objectives).
//
// T rows, P predicted rows, D width, E width of the embeddings, V vocabulary, C classes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "model/config.h"
#include "model/owned_module.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/vocabulary_loss.h"
#include "tensor/pass.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// What a head is made from.
struct HeadSpec {
  EncoderConfig encoder;
  int64_t outputs = 1;  ///< classes, where the head has a choice
  double dropout = 0;   ///< of what the last layer reads, while training
  uint64_t seed = 0;    ///< of the weights
  torch::TensorOptions tensors = torch::TensorOptions().dtype(torch::kFloat32);
};

/// A head's parameters, under the names the encoder's family gives them.
class TaskHead {
 public:
  virtual ~TaskHead() = default;
  /// What is optimised and stored, with the prefix of its names.
  OwnedModule owned() const { return {.prefix = prefix_, .module = module_}; }

 protected:
  TaskHead(std::string prefix, std::shared_ptr<torch::nn::Module> module)
      : prefix_(std::move(prefix)), module_(std::move(module)) {}

 private:
  std::string prefix_;
  std::shared_ptr<torch::nn::Module> module_;
};

/// The masked-language-model head: LN(act(h W + b)), as wide as the embeddings, then a product with
/// the word embeddings, tied to the encoder's. Stored as "cls.predictions.transform.*" and
/// "cls.predictions.bias" (BERT), "generator_predictions.*" and "generator_lm_head.bias" (ELECTRA),
/// "lm_head.*" (RoBERTa).
class MlmHead final : public TaskHead {
 public:
  MlmHead(const EncoderConfig& config, uint64_t seed, torch::TensorOptions options);

  Tensor transform(const Tensor& hidden_PD) const;                                 ///< [P, E]
  Tensor logits(const Tensor& hidden_PD, const Tensor& word_embeddings_VE) const;  ///< [P, V]
  nn::VocabularyLoss loss(const Tensor& hidden_PD, const Tensor& word_embeddings_VE,
                          const Tensor& labels_P) const;

 private:
  struct Parts;
  explicit MlmHead(Parts parts);

  nn::Activation activation_;
  std::shared_ptr<nn::Linear> dense_;
  std::shared_ptr<nn::LayerNorm> norm_;
  Tensor bias_V_;
};

/// One linear layer on every row: "classifier.*".
class TokenClassifier final : public TaskHead {
 public:
  explicit TokenClassifier(const HeadSpec& spec);

  /// [T, C], with dropout on the rows while training.
  Tensor logits(const Tensor& hidden_TD, const SequenceLayout& layout,
                const PassContext& pass) const;

 private:
  explicit TokenClassifier(const HeadSpec& spec, std::shared_ptr<nn::Linear> linear);

  double dropout_;
  std::shared_ptr<nn::Linear> linear_;
};

/// A score of every row as the first and as the last of an answer.
struct SpanLogits {
  Tensor start_T, end_T;
};

/// One linear layer with two outputs, no dropout: "qa_outputs.*".
class SpanHead final : public TaskHead {
 public:
  explicit SpanHead(const HeadSpec& spec);

  SpanLogits logits(const Tensor& hidden_TD) const;

 private:
  explicit SpanHead(std::shared_ptr<nn::Linear> linear);

  std::shared_ptr<nn::Linear> linear_;
};

/// ELECTRA's discriminator: act(h W + b), then one number a row, above 0 where the token was
/// replaced: "discriminator_predictions.*".
class ReplacedTokenHead final : public TaskHead {
 public:
  explicit ReplacedTokenHead(const HeadSpec& spec);

  Tensor logits(const Tensor& hidden_TD) const;  ///< [T]

 private:
  struct Parts;
  explicit ReplacedTokenHead(Parts parts);

  nn::Activation activation_;
  std::shared_ptr<nn::Linear> dense_, prediction_;
};

/// A linear layer of a head: weights drawn from (seed, name).
std::shared_ptr<nn::Linear> head_linear(const HeadSpec& spec, int64_t in, int64_t out,
                                        std::string_view name);

}  // namespace tenfold::model

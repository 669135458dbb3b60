// The shape of an encoder and its stack of layers, as recipes write it and as config.json stores
// it. Not here: config.json's own keys (config_json.h) or building modules (encoder.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"
#include "nn/stack.h"

namespace tenfold::model {

/// A run of equal layers; empty or zero fields take the model's own value.
struct LayerRun {
  int64_t count = 1;
  config::Choice attention;
  bool residual_attention = false;  ///< carry raw scores from layer to layer
  bool residual_mean = false;       ///< the softmax takes their mean over the layers
  int64_t intermediate_size = 0;
  void fields(config::FieldVisitor& v);
};

/// A BERT-shaped encoder of one of the families of family.h. Defaults are BERT-base.
struct EncoderConfig {
  std::string family = "bert";
  int64_t vocab_size = 30522;
  int64_t hidden_size = 768;
  int64_t embedding_size = 0;  ///< width of the embeddings (ELECTRA); 0: hidden_size
  int64_t num_hidden_layers = 12;
  int64_t num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  std::string hidden_act =
      "gelu";  ///< "gelu" (erf), "gelu_new" / "gelu_pytorch_tanh" (tanh form), "relu"
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 2;
  double initializer_range = 0.02;
  double layer_norm_eps = 1e-12;
  int64_t pad_token_id = 0;
  config::Choice attention;         ///< kind of every layer and its options; empty: softmax
  bool residual_attention = false;  ///< carry raw scores from layer to layer
  bool residual_mean = false;       ///< the softmax takes their mean over the layers
  std::vector<LayerRun> layers;     ///< empty: one run of num_hidden_layers

  void fields(config::FieldVisitor& v);
  /// Error{config} naming `where` unless the numbers fit together (heads divide the width, nothing
  /// absurd).
  void validate(const std::string& where) const;
  nn::StackSpec stack() const;

  int64_t embedding_width() const { return embedding_size > 0 ? embedding_size : hidden_size; }
  /// Row of the position table for the first token: RoBERTa's positions begin behind the padding's.
  int64_t first_position() const { return family == "roberta" ? pad_token_id + 1 : 0; }
  /// Tokens of the longest sequence.
  int64_t longest_sequence() const { return max_position_embeddings - first_position(); }
};

}  // namespace tenfold::model

// Fields, checks and the stack of an encoder's configuration.
// Not here: config.json (config_json.cpp).
#include "model/config.h"

#include "model/family.h"
#include "support/fail.h"

namespace tenfold::model {

using config::at_least;
using config::between;

void LayerRun::fields(config::FieldVisitor& v) {
  v.field("count", count, "layers in this run", between(1, 4096));
  v.choice("attention", attention, "attention of these layers; empty: the model's",
           v.kinds("attention"));
  v.field("residual_attention", residual_attention, "carry raw scores from layer to layer");
  v.field("residual_mean", residual_mean,
          "attend by the mean of the carried scores, not by their sum");
  v.field("intermediate_size", intermediate_size, "feed-forward width; 0: the model's",
          between(0, 1 << 20));
}

void EncoderConfig::fields(config::FieldVisitor& v) {
  v.field("family", family, "whose tensor names, heads and position rule", family_names());
  v.field("vocab_size", vocab_size, "rows of the word embeddings; 0 in a recipe: the vocabulary's",
          between(0, 16'000'000));
  v.field("hidden_size", hidden_size, "width of the hidden states", between(1, 65536));
  v.field("embedding_size", embedding_size, "width of the embeddings, electra only; 0: hidden_size",
          between(0, 65536));
  v.field("num_hidden_layers", num_hidden_layers, "layers", between(1, 4096));
  v.field("num_attention_heads", num_attention_heads, "heads; must divide hidden_size",
          between(1, 65536));
  v.field("intermediate_size", intermediate_size, "width of the feed-forward layers",
          between(1, 1 << 20));
  v.field("hidden_act", hidden_act, "activation of the feed-forward layers",
          {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu"});
  v.field("hidden_dropout_prob", hidden_dropout_prob, "dropout of hidden states",
          config::fraction_below_one());
  v.field("attention_probs_dropout_prob", attention_probs_dropout_prob,
          "dropout of attention weights", config::fraction_below_one());
  v.field("max_position_embeddings", max_position_embeddings, "longest sequence",
          between(1, 1 << 24));
  v.field("type_vocab_size", type_vocab_size, "segment kinds", between(1, 65536));
  v.field("initializer_range", initializer_range, "deviation of fresh weights", at_least(0));
  v.field("layer_norm_eps", layer_norm_eps, "epsilon of the layer norms", at_least(0));
  v.field("pad_token_id", pad_token_id, "row of the word embeddings that never learns",
          between(0, 16'000'000));
  v.choice("attention", attention, "attention of every layer", v.kinds("attention"));
  v.field("residual_attention", residual_attention,
          "carry raw attention scores from layer to layer (RealFormer)");
  v.field("residual_mean", residual_mean,
          "attend by the mean of the carried scores, not by their sum; for 30 layers and more");
  v.groups("layers", layers, "runs of layers, in place of num_hidden_layers equal ones");
}

void EncoderConfig::validate(const std::string& where) const {
  require(num_attention_heads > 0 && hidden_size % num_attention_heads == 0, ErrorKind::config,
          where, "num_attention_heads must divide hidden_size, got {} heads for {}",
          num_attention_heads, hidden_size);
  require(embedding_width() == hidden_size || family == "electra", ErrorKind::config, where,
          "embedding_size is {}, hidden_size {}: only models of family electra have two widths",
          embedding_size, hidden_size);
  require(longest_sequence() > 0, ErrorKind::config, where,
          "the positions begin at {} (behind pad_token_id), max_position_embeddings is {}",
          first_position(), max_position_embeddings);
  if (!layers.empty()) {
    int64_t count = 0;
    for (const LayerRun& run : layers) count += run.count;
    require(count == num_hidden_layers, ErrorKind::config, where,
            "layers add up to {}, num_hidden_layers is {}", count, num_hidden_layers);
  }
  stack().validate(where);
}

nn::StackSpec EncoderConfig::stack() const {
  nn::StackSpec spec;
  spec.width = hidden_size;
  spec.heads = num_attention_heads;
  spec.intermediate_size = intermediate_size;
  spec.longest = longest_sequence();
  spec.activation = nn::parse_activation(hidden_act);
  spec.hidden_dropout = hidden_dropout_prob;
  spec.attention_dropout = attention_probs_dropout_prob;
  spec.layer_norm_eps = layer_norm_eps;
  spec.initializer_range = initializer_range;
  if (layers.empty()) {
    spec.runs.push_back({num_hidden_layers, attention, residual_attention, 0, residual_mean});
  }
  for (const LayerRun& run : layers) {
    spec.runs.push_back({run.count, run.attention.kind.empty() ? attention : run.attention,
                         run.residual_attention || residual_attention, run.intermediate_size,
                         run.residual_mean || residual_mean});
  }
  return spec;
}

}  // namespace tenfold::model

// Embeddings, stack and pooler of the BERT encoder.
// Not here: attention or blocks (nn).
#include "model/encoder.h"

#include "model/module_group.h"
#include "support/fail.h"
#include "support/rng.h"

namespace tenfold::model {
namespace {

uint64_t seed_of(uint64_t seed, std::string_view name) {
  return combine_keys(seed, key_of_name(name));
}

/// Word embeddings of `ids`; the padding row gets no gradient, as in the reference implementation.
Tensor look_up_words(const Tensor& weight_VD, const Tensor& ids_T, int64_t padding) {
  return at::embedding(weight_VD, ids_T, padding);
}

}  // namespace

Encoder::Encoder(const EncoderConfig& config, Pooler pooler, uint64_t seed,
                 torch::TensorOptions options)
    : config_(config) {
  const int64_t width = config.hidden_size;
  const double range = config.initializer_range;
  const auto table = [&](int64_t rows, std::string_view name) {
    return std::make_shared<nn::Embedding>(rows, width, range, seed_of(seed, name), options);
  };
  auto embeddings = register_module("embeddings", std::make_shared<ModuleGroup>());
  words_ = embeddings->add("word_embeddings", table(config.vocab_size, "word_embeddings"));
  positions_ = embeddings->add("position_embeddings",
                               table(config.max_position_embeddings, "position_embeddings"));
  segments_ = embeddings->add("token_type_embeddings",
                              table(config.type_vocab_size, "token_type_embeddings"));
  norm_ = embeddings->add("LayerNorm",
                          std::make_shared<nn::LayerNorm>(width, config.layer_norm_eps, options));
  if (config.pad_token_id < config.vocab_size) {
    torch::NoGradGuard no_gradient;
    words_->weight.select(0, config.pad_token_id).zero_();
  }
  stack_ = register_module(
      "encoder", std::make_shared<nn::Stack>(config.stack(), seed_of(seed, "encoder"), options));
  if (pooler == Pooler::tanh) {
    const nn::LinearSpec spec{.in = width, .out = width, .bias = true, .initializer_range = range};
    auto group = register_module("pooler", std::make_shared<ModuleGroup>());
    pooler_dense_ =
        group->add("dense", std::make_shared<nn::Linear>(spec, seed_of(seed, "pooler"), options));
  }
}

EncoderOut Encoder::forward(const data::TokenBlock& tokens, const PassContext& pass,
                            const EncodeOptions& options) const {
  const std::vector<int64_t> past =
      options.state != nullptr ? options.state->past : std::vector<int64_t>{};
  const SequenceLayout& layout = tokens.layout;
  for (int64_t b = 0; b < layout.count(); ++b) {
    const int64_t end = layout.length(b) + (past.empty() ? 0 : past[static_cast<size_t>(b)]);
    require(end <= config_.max_position_embeddings, ErrorKind::shape, "encoder",
            "a sequence of {} tokens is longer than the {} positions of the model", end,
            config_.max_position_embeddings);
  }
  const Tensor positions_T = layout.positions(past).to(tokens.ids_T.device());
  Tensor embedded_TD = look_up_words(words_->weight, tokens.ids_T, config_.pad_token_id);
  embedded_TD = embedded_TD + positions_->forward(positions_T);
  embedded_TD = embedded_TD + (tokens.segments_T.defined() ? segments_->forward(tokens.segments_T)
                                                           : segments_->weight[0]);
  embedded_TD = norm_->forward(embedded_TD);
  if (pass.training && config_.hidden_dropout_prob > 0) {
    embedded_TD = dropout_rows(embedded_TD, row_keys(pass, layout).to(embedded_TD.device()),
                               key_of_name("embeddings"), config_.hidden_dropout_prob);
  }
  nn::StackOut out = stack_->forward({.hidden_TD = embedded_TD,
                                      .layout = layout,
                                      .mask = tokens.mask,
                                      .pass = pass,
                                      .source_SD = {},
                                      .bias = nullptr,
                                      .state = options.state,
                                      .all_hidden = options.all_hidden});
  return {std::move(out.hidden_TD), std::move(out.all_hidden_TD)};
}

Tensor Encoder::pool(const Tensor& hidden_TD, const SequenceLayout& layout) const {
  require(has_pooler(), ErrorKind::internal, "encoder", "this encoder was built without a pooler");
  const Tensor first_BD = hidden_TD.index_select(0, layout.first_rows().to(hidden_TD.device()))
                              .to(pooler_dense_->weight.scalar_type());
  return pooler_dense_->forward(first_BD).tanh();
}

}  // namespace tenfold::model

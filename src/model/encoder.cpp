// Embeddings, stack and pooler of the encoder.
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

}  // namespace

Encoder::Encoder(const EncoderConfig& config, Pooler pooler, uint64_t seed,
                 torch::TensorOptions options)
    : config_(config) {
  const int64_t width = config.hidden_size;
  const double range = config.initializer_range;
  const auto table = [&](int64_t rows, std::string_view name) {
    return std::make_shared<nn::Embedding>(rows, config.embedding_width(), range,
                                           seed_of(seed, name), options);
  };
  auto embeddings = register_module("embeddings", std::make_shared<ModuleGroup>());
  words_ = embeddings->add("word_embeddings", table(config.vocab_size, "word_embeddings"));
  positions_ = embeddings->add("position_embeddings",
                               table(config.max_position_embeddings, "position_embeddings"));
  segments_ = embeddings->add("token_type_embeddings",
                              table(config.type_vocab_size, "token_type_embeddings"));
  norm_ = embeddings->add(
      "LayerNorm",
      std::make_shared<nn::LayerNorm>(config.embedding_width(), config.layer_norm_eps, options));
  if (config.pad_token_id < config.vocab_size) {
    torch::NoGradGuard no_gradient;
    words_->weight.select(0, config.pad_token_id).zero_();
  }
  const auto dense = [&](int64_t in, std::string_view name) {
    return std::make_shared<nn::Linear>(
        nn::LinearSpec{.in = in, .out = width, .bias = true, .initializer_range = range},
        seed_of(seed, name), options);
  };
  if (config.embedding_width() != width) {
    project_ = register_module("embeddings_project",
                               dense(config.embedding_width(), "embeddings_project"));
  }
  stack_ = register_module(
      "encoder", std::make_shared<nn::Stack>(config.stack(), seed_of(seed, "encoder"), options));
  if (pooler == Pooler::tanh) {
    auto group = register_module("pooler", std::make_shared<ModuleGroup>());
    pooler_dense_ = group->add("dense", dense(width, "pooler"));
  }
}

EncoderOut Encoder::forward(const data::TokenBlock& tokens, const PassContext& pass,
                            const EncodeOptions& options) const {
  const std::vector<int64_t> past =
      options.state != nullptr ? options.state->past : std::vector<int64_t>{};
  const SequenceLayout& layout = tokens.layout;
  for (int64_t b = 0; b < layout.count(); ++b) {
    const int64_t end = layout.length(b) + (past.empty() ? 0 : past[static_cast<size_t>(b)]);
    require(end <= config_.longest_sequence(), ErrorKind::shape, "encoder",
            "a sequence of {} tokens is longer than the {} positions of the model", end,
            config_.longest_sequence());
  }
  Tensor positions_T = layout.positions(past).to(tokens.ids_T.device());
  if (config_.first_position() > 0) positions_T = positions_T + config_.first_position();
  Tensor embedded_TE = words_->forward(tokens.ids_T, config_.pad_token_id);
  embedded_TE = embedded_TE + positions_->forward(positions_T);
  // RoBERTa has one kind of segment, whatever the tokens say.
  const bool segmented = tokens.segments_T.defined() && config_.type_vocab_size > 1;
  embedded_TE =
      embedded_TE + (segmented ? segments_->forward(tokens.segments_T) : segments_->weight[0]);
  embedded_TE = norm_->forward(embedded_TE);
  if (pass.training && config_.hidden_dropout_prob > 0) {
    embedded_TE = dropout_rows(embedded_TE, row_keys(pass, layout).to(embedded_TE.device()),
                               key_of_name("embeddings"), config_.hidden_dropout_prob);
  }
  const Tensor embedded_TD = project_ ? project_->forward(embedded_TE) : embedded_TE;
  nn::StackOut out = stack_->forward({.hidden_TD = embedded_TD,
                                      .layout = layout,
                                      .mask = tokens.mask,
                                      .pass = pass,
                                      .source_SD = {},
                                      .bias = nullptr,
                                      .state = options.state,
                                      .all_hidden = options.all_hidden,
                                      .rows_P = options.rows_P});
  return {std::move(out.hidden_TD), std::move(out.all_hidden_TD)};
}

Tensor Encoder::first_rows(const data::TokenBlock& tokens, const PassContext& pass) const {
  const Tensor rows_B = tokens.layout.first_rows().to(tokens.ids_T.device());
  return forward(tokens, pass, {.rows_P = rows_B}).hidden_TD.to(words_->weight.scalar_type());
}

Tensor Encoder::pool(const Tensor& first_BD) const {
  require(has_pooler(), ErrorKind::internal, "encoder", "this encoder was built without a pooler");
  return pooler_dense_->forward(first_BD).tanh();
}

}  // namespace tenfold::model

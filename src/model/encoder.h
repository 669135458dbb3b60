// The BERT-shaped encoder on packed rows: embeddings, a stack of layer runs, an optional pooler.
// Not here: heads (heads.h), checkpoints (checkpoint.h), padding (there is none).
//
// T rows, B sequences, D width, E width of the embeddings (ELECTRA; else D), V vocabulary.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/batch.h"
#include "model/config.h"
#include "nn/embedding.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/stack.h"
#include "tensor/pass.h"
#include "tensor/torch.h"

namespace tenfold::model {

struct EncoderOut {
  Tensor hidden_TD;                   ///< last layer; [P, D] where rows were asked for
  std::vector<Tensor> all_hidden_TD;  ///< embeddings and every layer, only when asked for
};

struct EncodeOptions {
  bool all_hidden = false;
  nn::DecodeState* state =
      nullptr;         ///< while decoding: positions go on from it; the caller commits
  Tensor rows_P = {};  ///< rows of the result, ascending, no others computed where that can be
                       ///< (nn::StackIn); undefined: all
};

enum class Pooler : uint8_t { none, tanh };

/// Parameters carry Hugging Face's names below the family's prefix
/// ("embeddings.word_embeddings.weight", "embeddings_project.weight" where the embeddings have a
/// width of their own, "encoder.layer.0.attention.self.query.weight", ..., "pooler.dense.weight").
/// forward is const and thread-safe.
class Encoder : public torch::nn::Module {
 public:
  /// Fresh weights, a pure function of (seed, parameter); device and dtype of `options`.
  Encoder(const EncoderConfig& config, Pooler pooler, uint64_t seed, torch::TensorOptions options);

  const EncoderConfig& config() const { return config_; }

  /// Error{shape} where a sequence is longer than the position table.
  EncoderOut forward(const data::TokenBlock& tokens, const PassContext& pass,
                     const EncodeOptions& options = {}) const;

  bool has_pooler() const { return pooler_dense_ != nullptr; }
  /// Each sequence's first row of the last layer, [B, D], in the number format of the parameters.
  Tensor first_rows(const data::TokenBlock& tokens, const PassContext& pass) const;
  /// tanh(W h + b) of first rows, [B, D].
  Tensor pool(const Tensor& first_BD) const;
  Tensor word_embeddings_VE() const { return words_->weight; }  ///< shared with the vocabulary head

 private:
  EncoderConfig config_;
  std::shared_ptr<nn::Embedding> words_, positions_, segments_;
  std::shared_ptr<nn::LayerNorm> norm_;
  std::shared_ptr<nn::Linear> project_;  ///< from E to D; none where they are equal
  std::shared_ptr<nn::Stack> stack_;
  std::shared_ptr<nn::Linear> pooler_dense_;
};

}  // namespace tenfold::model

// The BERT encoder on packed rows: embeddings, a stack of layer runs, an optional pooler.
// Not here: heads (objectives own them), checkpoints (checkpoint.h), padding (there is none).
#pragma once

#include <memory>
#include <vector>

#include "data/batch.h"
#include "model/config.h"
#include "nn/stack.h"
#include "tensor/pass.h"
#include "tensor/torch.h"

namespace tenfold::model {

struct EncoderOut {
  Tensor hidden_TD;                   ///< last layer
  std::vector<Tensor> all_hidden_TD;  ///< embeddings and every layer, only when asked for
};

struct EncodeOptions {
  bool all_hidden = false;
};

/// Parameters carry Hugging Face's names below "bert." ("embeddings.word_embeddings.weight",
/// "encoder.layer.0.attention.self.query.weight", ..., "pooler.dense.weight").
class Encoder : public torch::nn::Module {
 public:
  enum class Pooler : uint8_t { none, tanh };
  /// Fresh weights from the named stream of `seed`; device and dtype of `options`.
  Encoder(const EncoderConfig& config, Pooler pooler, uint64_t seed, torch::TensorOptions options);

  const EncoderConfig& config() const { return config_; }
  EncoderOut forward(const data::TokenBlock& tokens, const PassContext& pass,
                     const EncodeOptions& options = {}) const;
  bool has_pooler() const;
  /// tanh(W h + b) of each sequence's first row, [B, D].
  Tensor pool(const Tensor& hidden_TD, const SequenceLayout& layout) const;
  Tensor word_embeddings_VD() const;  ///< shared with the vocabulary head

 private:
  EncoderConfig config_;
};

}  // namespace tenfold::model

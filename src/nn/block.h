// One post-LN Transformer block as BERT has it: attention, then feed-forward, each with residual
// sum and LayerNorm. Not here: the order of blocks or what they attend to (stack.h); pre-norm
// blocks.
//
// T rows, D width.
#pragma once

#include <cstdint>
#include <memory>

#include "config/fields.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "tensor/torch.h"

namespace tenfold::nn {

struct BlockSpec {
  config::Choice attention;  ///< empty: softmax
  AttentionShape shape;
  int64_t intermediate_size = 0;
  Activation activation = Activation::gelu;
  double hidden_dropout = 0.0;
  double layer_norm_eps = 1e-12;
};

/// What one block needs of the pass.
struct BlockIn {
  const AttentionContext& context;
  Tensor hidden_TD;
  Tensor
      source_SD;  ///< keys and values come from here; the same tensor for ordinary self-attention
  Tensor asking_P = {};  ///< rows of source_SD that hidden_TD is, where not all (AttentionIn)
  std::shared_ptr<const Carry> carry;
  AttentionMemory* memory = nullptr;
  uint64_t layer = 0;  ///< numbers the dropout sites
};

struct BlockOut {
  Tensor hidden_TD;
  std::shared_ptr<const Carry> carry;
};

/// Parameters "attention.self.*", "attention.output.{dense,LayerNorm}.*", "intermediate.dense.*",
/// "output.{dense,LayerNorm}.*". forward is const and thread-safe.
class Block : public torch::nn::Module {
 public:
  Block(const BlockSpec& spec, uint64_t seed, torch::TensorOptions options);

  BlockOut forward(const BlockIn& in) const;
  const Attention& attention() const { return *attention_; }

 private:
  double hidden_dropout_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<ResidualOutput> attention_output_;
  std::shared_ptr<FeedForward> feed_forward_;
};

}  // namespace tenfold::nn

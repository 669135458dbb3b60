// A stack of blocks as a list of layer runs, and the pass through it.
// Not here: embeddings, poolers and heads (model), or what one block computes (block.h).
//
// T rows, D width.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/fields.h"
#include "nn/attention.h"
#include "nn/block.h"
#include "nn/decode_state.h"
#include "tensor/mask.h"
#include "tensor/pass.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// A run of equal layers.
struct StackRun {
  int64_t count = 1;
  config::Choice attention;  ///< empty: softmax; kinds are those of attention_table()
  bool residual_attention = false;
  int64_t intermediate_size = 0;  ///< 0: the stack's own
  /// With residual_attention: the softmax takes the carried sum divided by the layers in it.
  bool residual_mean = false;
};

/// Whom a layer's queries ask.
enum class KeyValueFrom : uint8_t {
  previous_layer,  ///< the hidden states they come from: ordinary self-attention
  embeddings,      ///< one fixed tensor for all layers (T-TA)
};

struct StackSpec {
  int64_t width = 0, heads = 0;
  int64_t head_size = 0;  ///< 0: width / heads
  int64_t intermediate_size = 0;
  int64_t longest = 0;  ///< tokens of the longest sequence; 0: any
  Activation activation = Activation::gelu;
  double hidden_dropout = 0.0, attention_dropout = 0.0;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
  KeyValueFrom key_value_from = KeyValueFrom::previous_layer;
  std::vector<StackRun> runs;

  /// Error{config} naming `where` unless the numbers fit and every run's kind can do what is asked
  /// of it: `kinds` are the mask kinds the caller will use (empty: not known yet).
  void validate(const std::string& where, const std::vector<See>& kinds = {}) const;
  int64_t layers() const;
};

struct StackIn {
  Tensor hidden_TD;
  SequenceLayout layout;
  MaskSpec mask;
  PassContext pass;
  Tensor source_SD;  ///< KeyValueFrom::embeddings only: what is asked, rows as hidden_TD;
                     ///< undefined: hidden_TD itself
  std::shared_ptr<const PositionBias> bias;
  DecodeState* state = nullptr;  ///< while decoding; the caller commits after the pass
  bool all_hidden = false;
  /// int64 [P], ascending, repeats allowed: the rows of the result. The last layer computes no
  /// others where its attention lets some rows ask alone and nothing else wants them; the result is
  /// the same. Undefined: all.
  Tensor rows_P = {};
};

struct StackOut {
  Tensor hidden_TD;                   ///< [P, D] where rows were asked for
  std::vector<Tensor> all_hidden_TD;  ///< the input and every layer's output, only when asked for
};

/// Parameters "layer.N.*" with Hugging Face's BERT names. forward is const and thread-safe (a
/// DecodeState is not).
class Stack : public torch::nn::Module {
 public:
  /// Weights are a pure function of (seed, layer, parameter).
  Stack(const StackSpec& spec, uint64_t seed, torch::TensorOptions options);

  StackOut forward(const StackIn& in) const;
  /// State for decoding `count` sequences of at most `capacity` tokens; Error{unsupported} naming
  /// the kind where one cannot be decoded step by step.
  DecodeState new_state(int64_t count, int64_t capacity) const;

  /// Hidden states have this number format from here on; the parameters keep theirs. Not while
  /// another thread runs the stack.
  void compute_in(at::ScalarType type) { compute_type_ = type; }
  /// Whether layers keep only their input for the backward pass (recompute.h).
  void recompute_in_backward(bool recompute) { recompute_ = recompute; }
  /// Who looks at every layer's scores and weights from here on; null: nobody. It must outlive its
  /// last pass, and passes are no longer thread-safe.
  void observe(AttentionObserver* observer) { observer_ = observer; }

  const StackSpec& spec() const { return spec_; }
  const std::vector<std::shared_ptr<Block>>& blocks() const { return blocks_; }

 private:
  bool some_may_ask_alone(const StackIn& in) const;

  StackSpec spec_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<size_t> run_of_layer_;
  std::optional<at::ScalarType> compute_type_;  ///< none: that of the input
  bool recompute_ = false;
  AttentionObserver* observer_ = nullptr;
};

/// Lets every stack below `root` compute in `type`: products, attention and what is kept for the
/// backward pass; statistics, reductions, parameters and their gradients stay in the parameters'
/// own format. Error{unsupported} where this processor would only emulate it, slower than fp32.
void compute_in(torch::nn::Module& root, at::ScalarType type);

/// Lets every stack below `root` recompute its layers in the backward pass.
void recompute_in_backward(torch::nn::Module& root);

/// Lets `observer` look at every stack below `root` (Stack::observe); null: nobody.
void observe_attention(torch::nn::Module& root, AttentionObserver* observer);

}  // namespace tenfold::nn

// The attention contract: one struct in, one out; every attention kind fills it.
// Not here: any kernel (softmax_attention.cpp and the methods), or who provides keys and values
// (the stack decides).
//
// T query rows, S key rows, D width, H heads, E head size, B sequences.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/fields.h"
#include "nn/position_bias.h"
#include "tensor/mask.h"
#include "tensor/pass.h"
#include "tensor/sequence_layout.h"
#include "tensor/torch.h"

namespace tenfold::nn {

class AttentionObserver;

/// What all layers of one pass share; built by the stack, outlives the pass.
struct AttentionContext {
  SequenceLayout query_layout, source_layout;
  MaskSpec mask;
  std::shared_ptr<const PositionBias>
      bias;                   ///< optional; made once a pass, dense only in the reference
  std::vector<int64_t> past;  ///< keys in memory, one a sequence; empty: not decoding
  PassContext pass;
  Tensor row_keys_T;  ///< dropout keys of the query rows; defined only while training with dropout
  AttentionObserver* observer = nullptr;  ///< looks at scores and weights; not thread-safe
  /// Bytes of carried scores a batch may have before inference carries what they are computed from
  /// instead, which takes longer and no memory quadratic in the length.
  int64_t most_score_bytes = int64_t{1} << 30;
};

/// Layer to layer (RealFormer: raw scores before mask and softmax). Which tensors they are is the
/// attention kind's affair; the stack drops the carry where kinds differ.
struct Carry {
  std::vector<Tensor> tensors;
};

/// Step to step while decoding, one a layer: keys and values, or a recurrent state, per slot.
class AttentionMemory {
 public:
  virtual ~AttentionMemory() = default;
  /// Shrinks, repeats or reorders the rows: new row i is old row parents[i].
  virtual void select(const std::vector<int64_t>& parents) = 0;
  /// Rows beyond `past` (appended by a step that failed, or shown transiently) are forgotten.
  virtual void truncate(const std::vector<int64_t>& past) = 0;
  /// Room for `count` more rows, empty, behind the present ones.
  virtual void add(int64_t count) = 0;
};

/// self: keys stand at the same places as queries, and join the memory at `past`. cross: the source
/// is another text, which stays as it is while the queries grow.
enum class Side : uint8_t { self, cross };

enum class KeysFrom : uint8_t { given, memory };  ///< memory: cross-attention after its first step

struct AttentionIn {
  const AttentionContext& context;
  Tensor query_TD;  ///< hidden states asking
  Tensor
      source_SD;  ///< hidden states asked; the same tensor for ordinary self-attention (fused QKV)
  /// int64, ascending, repeats allowed: query_TD is these rows of source_SD, and the query layout
  /// counts them. Undefined: all of them, or another text.
  Tensor asking_P = {};
  Side side = Side::self;
  KeysFrom keys = KeysFrom::given;
  std::shared_ptr<const Carry> carry;
  AttentionMemory* memory = nullptr;
  uint64_t site = 0;  ///< number of this layer's dropout site
  int64_t layer = 0;  ///< number of this layer in its stack, for the observer
};

struct AttentionOut {
  Tensor context_TD;  ///< before the output projection
  std::shared_ptr<const Carry> carry;
};

/// What an attention kind can do; checked when the recipe is read, before any data.
struct AttentionTraits {
  std::vector<See> kinds;
  bool incremental = false, bias = false, carry = false, cross = false;
  bool stochastic = false;
  bool exposes_scores = false;  ///< forms raw scores, so they can be carried from layer to layer
  bool carry_mean = false;      ///< honours CarryRun::factor
  /// Under See::all a context depends on what asks, not on where it stands: some rows may ask
  /// alone.
  bool free_queries = false;
  int64_t fixed_length = 0;  ///< longest sequence its options allow; 0: any
};

/// RealFormer: where a layer stands among consecutive layers that carry scores; the stack counts.
struct CarryRun {
  int64_t place = 1;   ///< from 1
  int64_t layers = 0;  ///< of the run; 0: not known, as where a layer is used alone
  bool mean = false;   ///< a running mean in place of the sum

  /// Of the scores with those carried in, at the softmax alone: what is handed on is the sum.
  double factor() const { return mean ? 1.0 / static_cast<double>(place) : 1.0; }
  /// Whether a layer above takes the scores.
  bool hands_on() const { return place != layers; }
};

/// The sizes an attention module is built with.
struct AttentionShape {
  int64_t width = 0, heads = 0, head_size = 0;  ///< heads * head_size need not equal width
  int64_t longest = 0;  ///< tokens of the longest sequence the model takes; 0: any
  double dropout = 0.0;
  bool projection_bias = true;
  bool residual_scores = false;  ///< RealFormer: add the carried scores, hand on the sum
  CarryRun carry_run{};          ///< with residual_scores
  double scale = 0.0;            ///< 0: head_size^-1/2
  double initializer_range = 0.02;
};

/// One attention kind. Parameters live in the module; forward is const in everything else and
/// thread-safe.
class Attention : public torch::nn::Module {
 public:
  virtual AttentionTraits traits() const = 0;
  virtual AttentionOut forward(const AttentionIn& in) const = 0;
  /// Memory for `count` sequences of at most `capacity` keys; Error{unsupported} where
  /// traits().incremental is false.
  virtual std::unique_ptr<AttentionMemory> new_memory(int64_t count, int64_t capacity) const = 0;
};

/// Throws Error{shape} or Error{unsupported} where the context contradicts itself, the mask, or
/// `traits`: rows that do not fit, kinds the attention does not honour, decoding where more keys
/// would change what was already computed, a prefix mask whose source does not arrive whole in the
/// first step.
void check_context(const AttentionIn& in, const AttentionTraits& traits);

}  // namespace tenfold::nn

// Scaled dot-product attention: the built-in kind, its obvious reference and its fast paths.
// Not here: projections (projected_attention.h).
//
// T query rows, S key rows, H heads, E head size.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nn/attention_sequence.h"
#include "nn/projected_attention.h"
#include "nn/slot_table.h"

namespace tenfold::nn {

/// Everything the softmax kernels need besides tensors.
struct SoftmaxPlan {
  std::vector<AttentionSequence> sequences;
  double scale = 1.0, dropout = 0.0;
  uint64_t site = 0;
  Tensor row_keys_T;
  std::shared_ptr<const PositionBias> bias;
  bool hand_on_scores = false;
  double factor = 1.0;  ///< of the raw scores at the softmax; not of those handed on
  AttentionObserver* observer = nullptr;  ///< sees what softmax_reference computes
  int64_t layer = 0;                      ///< for the observer, as `side`
  Side side = Side::self;

  /// The plan of keys given in full: one sequence of the layouts each.
  static SoftmaxPlan of(const AttentionContext& context);
};

/// What heads hold. key_size 0: no products of queries and keys, all scores are carried in.
struct HeadSizes {
  int64_t heads = 0, key_size = 0, value_size = 0;
};

/// The keys and values that a pass asks, of every sequence one after another, and the plan over
/// them: all of it but scale and hand_on_scores.
struct AskedKeys {
  Tensor key_SHE, value_SHE;
  SoftmaxPlan plan;
};

/// Without memory what is given. With memory (a SlotTable) what is given joins it, and everything
/// it holds is asked; key_SHE and value_SHE are undefined where nothing is given
/// (KeysFrom::memory). `dropout`: of the weights while training.
AskedKeys asked_keys(const AttentionIn& in, const Tensor& key_SHE, const Tensor& value_SHE,
                     const HeadSizes& sizes, double dropout);

struct SoftmaxOut {
  Tensor context_THE;
  /// Defined where the plan hands them on, as the one tensor of the carry: raw scores q k^T * scale
  /// plus those carried in, before position bias and mask; fp32 or wider, [H, n, m] of every
  /// sequence one after another, hidden keys (MaskSpec::keep_S) left out.
  Tensor flat_scores;
};

/// The obvious form: dense masks, differentiable operators. carry: flat scores or undefined. Values
/// may have another head size than queries and keys, and those none at all (HeadSizes).
SoftmaxOut softmax_reference(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const Tensor& carry, const SoftmaxPlan& plan);
/// The same with its own backward pass on the CPU, in fp32 or fp64 inside.
SoftmaxOut softmax_fast(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                        const Tensor& carry, const SoftmaxPlan& plan);

/// Whether libtorch's blocked CPU kernel can do what the sequence's mask asks: everything is seen,
/// or the past where rows and keys begin together (or one row ends them).
bool flash_honours(const AttentionSequence& s);

/// The same by operators over padded groups of sequences, on any device.
SoftmaxOut softmax_batched(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                           const Tensor& carry, const SoftmaxPlan& plan);

/// The form that is fastest on the tensors' device.
SoftmaxOut softmax_attention(const Tensor& query_THE, const Tensor& key_SHE,
                             const Tensor& value_SHE, const Tensor& carry, const SoftmaxPlan& plan);

/// What a plan does with scores in a layer of this shape: RealFormer's sum and what it divides by.
void set_carry(SoftmaxPlan& plan, const AttentionShape& shape);

/// The scores a plan handed on as the carry of the next layer; null where it handed on none.
std::shared_ptr<const Carry> carry_of(const SoftmaxOut& out);
/// The same without gradients on the CPU where scores are not carried: `below` holds query and key
/// of each layer below, [T, H, E] and [S, H, E] in turn, and raw scores are the sum of all
/// products. Takes the time of as many products and memory linear in the length. Gives the context
/// alone.
Tensor softmax_summed(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                      const std::vector<Tensor>& below, const SoftmaxPlan& plan);

class SoftmaxAttention final : public ProjectedAttention {
 public:
  SoftmaxAttention(const AttentionShape& shape, const config::NoOptions& options, uint64_t seed,
                   torch::TensorOptions tensor_options);
  static AttentionTraits traits_of(const config::NoOptions& options);
  static double flops_of(const AttentionShape& shape, const config::NoOptions& options,
                         const AttentionLoad& load);

  AttentionTraits traits() const override;
  std::unique_ptr<AttentionMemory> new_memory(int64_t count, int64_t capacity) const override;

 protected:
  AttentionOut mix(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                   const AttentionIn& in) const override;
};

}  // namespace tenfold::nn

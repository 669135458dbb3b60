// What the attention benchmark times: the mixing of given queries, keys and values, one layer with
// its projections, a step of decoding, or a whole encoder. Not here: cases, clocks and processes
// (bench_attention.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/fields.h"
#include "tensor/mask.h"
#include "tensor/torch.h"

namespace tenfold::app {

/// A yardstick: libtorch's own scaled dot products, called sequence by sequence.
inline constexpr const char* kFlashKind = "flash";
/// The other: a layer with the projections of ordinary attention whose contexts are its values,
/// unmixed. What a kind takes beyond it is the price of its mixing (the "X (OPT)" line of arXiv
/// 2009.14794).
inline constexpr const char* kValuesKind = "values";
/// Adds kValuesKind to the attention kinds of this process.
void add_values_kind();

struct AttentionWork {
  std::string kind;       ///< one of attention_table(), or a yardstick
  config::Choice choice;  ///< of the kind; empty for kFlashKind
  std::vector<int64_t> lengths;
  See see = See::all;
  at::ScalarType type = at::kFloat;
};

/// Heads of the mixing and layer works, each of kWorkHeadSize.
inline constexpr int64_t kWorkHeads = 8, kWorkHeadSize = 64;

/// Forward and backward from q, k and v of [T, 8, 64] to the sum of the contexts. An empty function
/// where the kind makes no queries, keys and values to mix.
std::function<void()> mixing_work(const AttentionWork& work);

/// Largest difference between the contexts of softmax attention and the yardstick, on one input.
double softmax_disagreement(const AttentionWork& work);

/// Forward and backward of one layer's attention with its projections, width 512.
std::function<void()> layer_work(const AttentionWork& work);

/// One token through six causal layers of width 512, packed weights, behind `lengths[0]` tokens
/// (and at most 64 more) in their memory.
std::function<void()> decode_work(const AttentionWork& work);

/// Forward of BERT-base, packed weights.
std::function<void()> encoder_work(const AttentionWork& work);

/// Arithmetic of one call in GFLOP: the forward pass's products once, or with its backward pass
/// three times; what a kernel computes once more does not count. kFlashKind's are softmax's.
double mixing_gflops(const AttentionWork& work);
double layer_gflops(const AttentionWork& work);
double encoder_gflops(const AttentionWork& work);

}  // namespace tenfold::app

// Softmax attention in bfloat16 by the processor's own dot products, for inference.
// Not here: gradients, bias, carried scores or holes (softmax_fast.cpp has those in fp32).
//
// T query rows, S key rows, H heads, E head size.
#pragma once

#include "nn/softmax_attention.h"

namespace tenfold::nn {

/// Whether softmax_bf16 may be used: bfloat16 on a processor with AVX512_BF16, E a multiple of 32,
/// at most 4,096 keys a sequence, and nothing in the plan but mask kinds.
bool softmax_bf16_serves(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const Tensor& carry, const SoftmaxPlan& plan);

/// Context [T, H, E]. Scores, softmax and sums are fp32; the weights are rounded to bfloat16 once
/// they are normalised. Rows that see nothing give zeros. Thread-safe.
Tensor softmax_bf16(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const SoftmaxPlan& plan);

}  // namespace tenfold::nn

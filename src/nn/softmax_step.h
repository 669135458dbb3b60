// Softmax attention of few queries over many keys, as a step of decoding asks: the speed of reading
// keys and values once. Not here: choosing it (softmax_fast.cpp), or narrow numbers.
//
// T query rows, S key rows, H heads, E head size.
#pragma once

#include "nn/softmax_attention.h"

namespace tenfold::nn {

/// Whether softmax_step() takes this: at most 4 queries a sequence without holes, fp32 or fp64 on
/// the CPU, heads of whole vectors of 64 bytes, no dropout, nothing carried or handed on.
bool softmax_step_serves(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                         const Tensor& carry, const SoftmaxPlan& plan);

/// Contexts [T, H, E] without gradients; every mask kind, and a position bias. The same bits for
/// any number of threads. Rows that see nothing give zeros. Thread-safe.
Tensor softmax_step(const Tensor& query_THE, const Tensor& key_SHE, const Tensor& value_SHE,
                    const SoftmaxPlan& plan);

}  // namespace tenfold::nn

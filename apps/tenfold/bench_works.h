// The benchmarks, one function each.
// Not here: their timing (bench_timer.h) and inputs (bench_inputs.h).
#pragma once

#include "bench_timer.h"
#include "tensor/torch.h"

namespace tenfold::app {

/// Matrix products of three number formats, 2048 x 768 x 3072: the line that other figures are
/// divided by.
void bench_roof(const BenchTimer& timer);
/// WordPiece, byte-level BPE, unigram: one call a line, one call for all, one call for all without
/// offsets.
void bench_tokenize(const BenchTimer& timer);
/// Last hidden states, compared with the reference first.
void bench_encode(const BenchTimer& timer);
/// Forward, backward and AdamW of masked-language-model training.
void bench_train_step(const BenchTimer& timer);
/// The update alone, by each kind of optimizer.
void bench_update(const BenchTimer& timer);
/// Carried scores (RealFormer) against the plain model: forward pass and training update.
void bench_residual(const BenchTimer& timer);
/// A new process, from its start to the first embedding; with --child this is that process.
void bench_load(const BenchTimer& timer);
/// Attention by kind, each case in a process of its own; with --child this is that process.
void bench_attention(const BenchTimer& timer);

/// GFLOP/s of libtorch's product of 2048 x 768 by 768 x 3072 now: the best call of a second.
double product_roof(at::ScalarType type);

}  // namespace tenfold::app

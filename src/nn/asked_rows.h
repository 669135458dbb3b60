// A layer that computes some rows of a pass alone: those that anything above it reads.
// Not here: which rows those are (objectives), or which layer (stack.h).
#pragma once

#include <optional>
#include <vector>

#include "nn/attention.h"
#include "nn/attention_sequence.h"
#include "tensor/torch.h"

namespace tenfold::nn {

/// Whether a context depends on where its query stands, by a mask or a position bias.
bool places_matter(const AttentionContext& context);

struct AskedRows {
  Tensor rows_P;  ///< the rows asked for, and repeats of the last that round their number
  AttentionContext context;  ///< queries are those rows, keys all of them
};

/// What a layer over hidden_TD needs to compute `rows_P` (int64, ascending) alone. Nothing where
/// it does not pay, where places of queries matter, or where somebody looks at the layer.
std::optional<AskedRows> asked_rows(const AttentionContext& whole, const Tensor& rows_P,
                                    const Tensor& hidden_TD);

/// Of scores carried for every query, sequence after sequence [H, n, m] of n tokens and the m that
/// holes leave, those of the rows that ask. `sequences` count the rows that ask. Differentiable.
Tensor asked_scores(const Tensor& flat_scores, const Tensor& rows_P,
                    const std::vector<AttentionSequence>& sequences, int64_t heads);

}  // namespace tenfold::nn

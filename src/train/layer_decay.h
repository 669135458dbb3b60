// Layer-wise learning-rate decay: the deeper a parameter lies, the slower it moves.
// Not here: the rates themselves (optimizers and schedules).
#pragma once

#include <vector>

#include "train/options.h"
#include "train/parameters.h"

namespace tenfold::train {

/// Multiplies every learning_rate_scale by factor^(distance from the head), N being the encoder's
/// layers, numbered from 0. What belongs to no encoder, and the pooler, counts as head.
///
///   depths     head  pooler  layer i          embeddings
///   even       1     1       factor^(N-i)     factor^(N+1)
///   electra    1     factor  factor^(N+1-i)   factor^(N+2)
///
/// "electra" is what the release of ELECTRA computes: its layers are counted for a pooler that the
/// model no longer has, so its top layer already has factor^2 (google-research/electra, issues 51
/// and 64). "even" is one factor a layer. Error{config} where no parameter belongs to a layer.
void scale_by_depth(std::vector<Parameter>& parameters, const LayerDecay& decay);

}  // namespace tenfold::train

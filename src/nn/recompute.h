// A block that keeps only its input for the backward pass and computes the rest again then
// (gradient checkpointing; Chen et al. 2016, arXiv 1604.06174).
// Not here: which blocks do so (stack.h).
#pragma once

#include <memory>

#include "nn/block.h"

namespace tenfold::nn {

/// block->forward(in), with the same value and gradients bit for bit: dropout is a function of
/// counters, so there is no generator state to restore. Costs one more forward pass of the block
/// and saves its activations. Without gradients, or with memory, it is the plain call.
BlockOut recomputed_forward(const std::shared_ptr<const Block>& block, const BlockIn& in);

}  // namespace tenfold::nn

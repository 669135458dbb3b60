// The random directions of FAVOR+ (Choromanski et al. 2021, arXiv 2009.14794, section 2.4).
// Not here: what is done with them (performer_map.h).
#pragma once

#include <cstdint>

#include "tensor/torch.h"

namespace tenfold::performer {

/// How directions are drawn.
struct ProjectionSpec {
  int64_t rows = 0, width = 0;  ///< m directions of D numbers
  bool orthogonal = true;       ///< directions of a block of D stand at right angles
  bool equal_lengths = false;   ///< sqrt(D) each (SMREG), in place of Gaussian vectors' lengths
};

/// fp64 [m, D], a pure function of the spec, the seed and the number of the draw. Orthogonal blocks
/// are uniform over all rotations and reflections: Gram-Schmidt in fp64, done twice, with a
/// positive diagonal, which QR without a rule for signs does not give.
Tensor draw_projection(const ProjectionSpec& spec, uint64_t seed, uint64_t draw);

}  // namespace tenfold::performer

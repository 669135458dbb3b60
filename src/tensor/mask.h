// What each query may see of the keys, as structure: a kind per sequence, never a matrix.
// Not here: padding (a packed batch has none) and position bias (nn/position_bias.h).
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/torch.h"

namespace tenfold {

/// Query i (standing at place past + i) against key j.
enum class See : uint8_t {
  all,     ///< every key
  past,    ///< causal: j <= place
  future,  ///< reverse causal: j >= place
  prefix,  ///< the first `source` keys, and beyond them j <= place (UniLM's sequence to sequence)
  others,  ///< no-self: j != place (T-TA)
};

/// One kind for all sequences, or one a sequence, so that one batch mixes kinds. `keep` makes
/// holes.
struct MaskSpec {
  std::vector<See> see{See::all};
  std::vector<int64_t> source;  ///< prefix only: leading keys everyone sees, one a sequence
  Tensor keep_S;                ///< optional bool [S], 1 = this key may be seen; undefined: all

  See kind(int64_t sequence) const {
    return see.size() == 1 ? see[0] : see[static_cast<size_t>(sequence)];
  }

  /// Dense view for references: bool [n, m], queries standing at places past .. past + n - 1, key
  /// rows of `keep_S` starting at `key_begin`.
  Tensor visible(int64_t sequence, int64_t past, int64_t n, int64_t m, int64_t key_begin) const;

  /// Throws Error{shape} where the lists do not fit `count` sequences with `key_lengths` keys each.
  void check(int64_t count, const std::vector<int64_t>& key_lengths) const;
};

}  // namespace tenfold

// How many threads tensor operators use.
// Not here: background loading threads (data) or how many the machine has (support/cpu.h).
#pragma once

namespace tenfold {

/// For the whole process; 0: what support/cpu.h calls usable. Call before the first operator.
/// Returns the count.
int set_threads(int count);
int threads();

}  // namespace tenfold

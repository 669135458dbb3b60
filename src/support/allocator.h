// How this process's allocator treats freed memory.
// Not here: an allocator of our own.
#pragma once

namespace tenfold {

/// Makes the C library keep freed blocks below 256 MiB for the next request instead of handing them
/// back to the kernel. A training step allocates and frees the same large tensors again and again;
/// fresh pages cost a fault and a clearing each time. Larger blocks go back: kept ones that small
/// ones have settled between cost more memory than their faults cost time. For programs, called
/// once from main before other threads start; a user's own MALLOC_* setting stands. Does nothing
/// where the C library is not glibc.
void keep_freed_memory();

}  // namespace tenfold

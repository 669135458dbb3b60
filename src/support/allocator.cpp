// glibc's knobs for freed memory.
// Not here: measuring what they are worth.
#include "support/allocator.h"

#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace tenfold {

void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargestKept = 1 << 28;  // bytes; beyond that a block is mapped by itself
  constexpr int kNever = -1;
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr &&
      std::getenv("MALLOC_MMAP_MAX_") == nullptr)
    mallopt(M_MMAP_THRESHOLD, kLargestKept);
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) mallopt(M_TRIM_THRESHOLD, kNever);
#endif
}

}  // namespace tenfold

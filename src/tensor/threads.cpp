// Sets libtorch's thread count.
// Not here: anything else.
#include "tensor/threads.h"

#include "support/cpu.h"
#include "support/fail.h"
#include "tensor/torch.h"

namespace tenfold {

int set_threads(int count) {
  require(count >= 0, ErrorKind::config, "threads", "must not be negative, got {}", count);
  at::set_num_threads(count == 0 ? read_cpu().usable_cores : count);
  return threads();
}

int threads() { return at::get_num_threads(); }

}  // namespace tenfold

// Fuzz target: PyTorch checkpoints.
// Not here: torch tensors over the data.
#include "support/files.h"
#include "target.h"
#include "tensor/torch_checkpoint.h"

namespace tenfold::fuzz {

const char* const kFormat = "pytorch";

void read(std::string_view bytes) {
  for (const TensorEntry& entry : parse_torch_checkpoint(as_bytes(bytes), "file")) {
    promise(entry.begin <= entry.end && entry.end <= bytes.size(), "a tensor lies in the file");
    uint64_t elements = 1, last = 0;
    for (size_t d = 0; d < entry.shape.size(); ++d) {
      elements *= static_cast<uint64_t>(entry.shape[d]);
      if (!entry.strides.empty())
        last += static_cast<uint64_t>((entry.shape[d] - 1) * entry.strides[d]);
    }
    const uint64_t size = element_size(entry.type), held = (entry.end - entry.begin) / size;
    promise(elements <= held, "a tensor takes no more memory than the file has for it");
    if (entry.strides.empty()) {
      promise(elements * size == entry.end - entry.begin, "a tensor has the bytes of its shape");
    } else {
      promise(last < held, "a view stays within its bytes");
    }
  }
}

}  // namespace tenfold::fuzz

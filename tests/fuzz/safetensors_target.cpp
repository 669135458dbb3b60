// Fuzz target: safetensors files.
// Not here: torch tensors over the data.
#include "support/files.h"
#include "target.h"
#include "tensor/safetensors.h"

namespace tenfold::fuzz {

const char* const kFormat = "safetensors";

void read(std::string_view bytes) {
  const SafetensorsHeader header = parse_safetensors(as_bytes(bytes), "file");
  uint64_t at = 0;
  for (const TensorEntry& entry : header.tensors) {
    promise(entry.begin == at && entry.end >= at, "tensors follow one another");
    uint64_t size = element_size(entry.type);
    for (int64_t n : entry.shape) size *= static_cast<uint64_t>(n);
    promise(entry.end - entry.begin == size, "a tensor has the bytes of its shape");
    at = entry.end;
  }
  promise(header.data_begin + at == bytes.size(), "the tensors fill the file");

  // What was accepted can be written, and reads back the same.
  std::vector<TensorEntry> tensors = header.tensors;
  std::string copy = make_safetensors_header(tensors, header.metadata);
  copy += bytes.substr(header.data_begin);
  const SafetensorsHeader again = parse_safetensors(as_bytes(copy), "copy");
  promise(again.metadata == header.metadata, "metadata survive");
  promise(again.tensors.size() == header.tensors.size(), "tensors survive");
  for (const TensorEntry& entry : header.tensors) {
    bool found = false;
    for (const TensorEntry& other : again.tensors) {
      found = found || (other.name == entry.name && other.shape == entry.shape &&
                        other.type == entry.type && other.begin == entry.begin);
      if (found) break;
    }
    promise(found, "every tensor survives");
  }
}

}  // namespace tenfold::fuzz

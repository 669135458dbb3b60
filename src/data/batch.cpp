// Looking things up in a batch and moving it to a device.
// Not here: making one (the collators).
#include "data/batch.h"

#include "support/fail.h"

namespace tenfold::data {

int64_t Batch::real_tokens() const {
  int64_t tokens = 0;
  for (const auto& [name, block] : inputs) tokens += block.layout.total();
  return tokens;
}

Batch Batch::to(torch::Device device) const {
  Batch moved = *this;
  for (auto& [name, block] : moved.inputs) {
    block.ids_T = block.ids_T.to(device);
    if (block.segments_T.defined()) block.segments_T = block.segments_T.to(device);
    if (block.mask.keep_S.defined()) block.mask.keep_S = block.mask.keep_S.to(device);
  }
  for (auto& [name, tensor] : moved.fields) tensor = tensor.to(device);
  return moved;
}

const TokenBlock& Batch::input(std::string_view name) const {
  const auto found = inputs.find(name);
  require(found != inputs.end(), ErrorKind::internal, "batch", "no input '{}'", name);
  return found->second;
}

const Tensor& Batch::field(std::string_view name) const {
  const auto found = fields.find(name);
  require(found != fields.end(), ErrorKind::internal, "batch", "no field '{}'", name);
  return found->second;
}

}  // namespace tenfold::data

// PyTorch checkpoints (`pytorch_model.bin`): where each tensor of a state_dict lies in the file,
// every claim checked against the bytes that are there. Not here: torch tensors
// (mapped_tensors.h), the older format without an archive (refused with a remedy), writing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tensor/safetensors.h"

namespace tenfold {

/// The tensors in the order of the state_dict; `begin` and `end` are places in the file. Tensors
/// that share a storage share bytes; views that are not row-major have `strides`. Error{checkpoint}
/// naming `file` and what is damaged, Error{unsupported} for files of PyTorch before 1.6, compiled
/// modules, compressed entries, big-endian data, overlapping views and anything but tensors.
std::vector<TensorEntry> parse_torch_checkpoint(std::span<const std::byte> bytes,
                                                const std::string& file);

}  // namespace tenfold

// The tensors that a pickled PyTorch state_dict describes, read without executing anything: a small
// machine that knows the opcodes state_dicts need and refuses every other by name. Not here: the
// archive around it and the bytes of the tensors (torch_checkpoint.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/safetensors.h"

namespace tenfold {

/// A tensor as a view of a storage, in elements.
struct PickledTensor {
  std::string name;
  ElementType type = ElementType::f32;
  std::string_view storage;  ///< its key, a piece of the pickle
  int64_t storage_size = 0;  ///< elements of the whole storage
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
};

/// Longest pickle taken, and the most objects and tensors in it.
inline constexpr uint64_t kLargestPickle = 64 << 20;
inline constexpr size_t kMostPickledObjects = 1 << 18;
inline constexpr size_t kMostPickledTensors = 1 << 15;

/// The tensors of a state_dict in their order, each name once: a dict of texts to tensors (and
/// parameters), with the attributes PyTorch adds to it ignored. Error{unsupported} naming the
/// opcode, class or function that is none of a state_dict's; Error{checkpoint} naming `file` and
/// the byte where the pickle is damaged. Numbers are as stated: shapes, strides and offsets are the
/// caller's to check.
std::vector<PickledTensor> parse_state_dict(std::span<const std::byte> pickle,
                                            const std::string& file);

}  // namespace tenfold

// Torch tensors over the bytes of a mapped file, whichever format says where they lie.
// Not here: the formats (safetensors.h, torch_checkpoint.h) or writing (safetensors_tensors.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/files.h"
#include "tensor/safetensors.h"
#include "tensor/torch.h"

namespace tenfold {

/// A file opened for reading. Copies share one mapping; safe to read from several threads.
class MappedTensors {
 public:
  /// `pytorch_model.bin` and the like. Error{checkpoint} where the file is missing or damaged,
  /// Error{unsupported} where it is more than tensors.
  static MappedTensors open_torch_checkpoint(const std::filesystem::path& path, Access access);

  const std::vector<TensorEntry>& entries() const { return *entries_; }
  bool has(const std::string& name) const { return index_.contains(name); }
  const TensorEntry& entry(
      const std::string& name) const;  ///< Error{checkpoint} naming file and tensor

  /// The tensor as stored, row-major, over the mapped bytes where they are so and aligned: never
  /// write to it. It keeps the mapping alive.
  Tensor tensor(const std::string& name) const;

 protected:
  /// `data_begin`: what the entries' places count from.
  MappedTensors(std::shared_ptr<const MappedFile> file, std::vector<TensorEntry> entries,
                uint64_t data_begin);

 private:
  std::shared_ptr<const MappedFile> file_;
  std::shared_ptr<const std::vector<TensorEntry>> entries_;
  uint64_t data_begin_ = 0;
  std::map<std::string, size_t> index_;
};

torch::ScalarType scalar_type(ElementType type);
/// Error{unsupported} for types the format or torch lacks.
ElementType element_type(torch::ScalarType type);

}  // namespace tenfold

// Torch tensors in safetensors files: mapped when read, streamed when written.
// Not here: the format's rules (safetensors.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/files.h"
#include "tensor/safetensors.h"
#include "tensor/torch.h"

namespace tenfold {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// A file opened for reading. Copies share one mapping; safe to read from several threads.
class SafetensorsFile {
 public:
  /// Error{checkpoint} where the file is missing or breaks a rule of the format.
  static SafetensorsFile open(const std::filesystem::path& path, Access access = Access::random);

  const std::vector<TensorEntry>& entries() const { return header_->tensors; }
  const std::map<std::string, std::string>& metadata() const { return header_->metadata; }
  bool has(const std::string& name) const { return index_.contains(name); }
  const TensorEntry& entry(
      const std::string& name) const;  ///< Error{checkpoint} naming file and tensor

  /// The tensor as stored, over the mapped bytes where they are aligned: never write to it. It
  /// keeps the mapping alive.
  Tensor tensor(const std::string& name) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::shared_ptr<const SafetensorsHeader> header_;
  std::map<std::string, size_t> index_;
};

/// Writes the tensors in the given order, atomically. They may lie on any device; metadata as HF
/// expects it is
/// {"format": "pt"}. Error{run} where the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

torch::ScalarType scalar_type(ElementType type);
/// Error{unsupported} for types the format or torch lacks.
ElementType element_type(torch::ScalarType type);

}  // namespace tenfold

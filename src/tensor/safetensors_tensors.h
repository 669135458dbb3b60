// Torch tensors in safetensors files: mapped when read, streamed when written.
// Not here: the format's rules (safetensors.h).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensor/mapped_tensors.h"
#include "tensor/safetensors.h"
#include "tensor/torch.h"

namespace tenfold {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

class SafetensorsFile : public MappedTensors {
 public:
  /// Error{checkpoint} where the file is missing or breaks a rule of the format.
  static SafetensorsFile open(const std::filesystem::path& path, Access access = Access::random);

  const std::map<std::string, std::string>& metadata() const { return *metadata_; }

 private:
  SafetensorsFile(std::shared_ptr<const MappedFile> file, SafetensorsHeader header);

  std::shared_ptr<const std::map<std::string, std::string>> metadata_;
};

/// Writes the tensors in the given order, atomically. They may lie on any device; metadata as HF
/// expects it is
/// {"format": "pt"}. Error{run} where the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace tenfold

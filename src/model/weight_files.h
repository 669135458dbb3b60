// The tensors of a model directory by their present-day names, whichever files and old names they
// come from. Not here: which of them a module wants (checkpoint.cpp).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "model/family.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {

class WeightFiles {
 public:
  /// Opens the first there is of model.safetensors, model.safetensors.index.json with its shards,
  /// pytorch_model.bin, pytorch_model.bin.index.json with its shards. Error{checkpoint} where there
  /// is none, a shard is missing or lies outside the folder, or two tensors have one name;
  /// Error{unsupported} with the way to convert them where there are weights of other frameworks.
  WeightFiles(const std::filesystem::path& directory, const Family& family);

  bool has(const std::string& name) const { return places_.contains(name); }
  const TensorEntry& entry(const std::string& name) const;
  Tensor tensor(const std::string& name) const;
  std::vector<std::string> names() const;
  const std::filesystem::path& directory() const { return directory_; }
  const Family& family() const { return family_; }

 private:
  enum class Format : uint8_t { safetensors, pytorch };
  struct Place {
    size_t file;
    std::string stored_name;
  };
  void add_file(const std::filesystem::path& path, Format format);
  void add_shards(const std::filesystem::path& index, Format format);

  std::filesystem::path directory_;
  Family family_;
  std::vector<MappedTensors> files_;
  std::map<std::string, Place> places_;
};

/// "LayerNorm.gamma" -> "LayerNorm.weight", "embeddings.x" -> "bert.embeddings.x" with the family's
/// prefix; empty for buffers to be ignored.
std::string present_name(const std::string& stored, const Family& family);

}  // namespace tenfold::model

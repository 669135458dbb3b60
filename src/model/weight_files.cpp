// Opening weight files and shards, and mending old names.
// Not here: modules.
#include "model/weight_files.h"

#include <nlohmann/json.hpp>
#include <set>

#include "support/fail.h"
#include "support/json.h"

namespace tenfold::model {
namespace {

constexpr uint64_t kLargestIndex = 64 << 20;

void replace_end(std::string& text, std::string_view end, std::string_view replacement) {
  if (text.ends_with(end)) text.replace(text.size() - end.size(), end.size(), replacement);
}

}  // namespace

std::string present_name(const std::string& stored, const Family& family) {
  std::string name = stored;
  if (name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids"))
    return "";
  replace_end(name, "LayerNorm.gamma", "LayerNorm.weight");
  replace_end(name, "LayerNorm.beta", "LayerNorm.bias");
  for (const char* part : {"embeddings.", "embeddings_project.", "encoder.", "pooler."}) {
    if (name.starts_with(part)) return std::string(family.encoder_prefix) + name;
  }
  return name;
}

WeightFiles::WeightFiles(const std::filesystem::path& directory, const Family& family)
    : directory_(directory), family_(family) {
  const auto single = directory / "model.safetensors",
             index = directory / "model.safetensors.index.json";
  if (std::filesystem::exists(single)) {
    add_file(single);
  } else if (std::filesystem::exists(index)) {
    add_shards(index);
  } else {
    fail(ErrorKind::checkpoint, "model",
         "{} holds neither model.safetensors nor model.safetensors.index.json", directory.string());
  }
}

void WeightFiles::add_file(const std::filesystem::path& path) {
  files_.push_back(SafetensorsFile::open(path, Access::whole));
  for (const TensorEntry& entry : files_.back().entries()) {
    const std::string name = present_name(entry.name, family_);
    if (name.empty()) continue;
    require(places_.emplace(name, Place{files_.size() - 1, entry.name}).second,
            ErrorKind::checkpoint, "model", "{}: '{}' is stored twice", path.string(), name);
  }
}

void WeightFiles::add_shards(const std::filesystem::path& index) {
  const std::string file = index.string();
  const nlohmann::json parsed = parse_json(read_file(index, kLargestIndex, ErrorKind::checkpoint),
                                           file, ErrorKind::checkpoint, "model");
  require(parsed.is_object() && parsed.contains("weight_map") && parsed["weight_map"].is_object(),
          ErrorKind::checkpoint, "model", "{}: weight_map is not an object", file);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : parsed["weight_map"].items()) {
    require(shard.is_string(), ErrorKind::checkpoint, "model", "{}: '{}' names no file", file,
            tensor);
    const std::string name = shard.get<std::string>();
    require(!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
                name.find('\\') == std::string::npos,
            ErrorKind::checkpoint, "model", "{}: shard '{}' of '{}' lies outside the folder", file,
            name, tensor);
    shards.insert(name);
  }
  std::map<std::string, size_t> opened;
  for (const std::string& shard : shards) {
    const auto path = index.parent_path() / shard;
    require(std::filesystem::is_regular_file(path) && !std::filesystem::is_symlink(path),
            ErrorKind::checkpoint, "model", "{}: shard {} is missing or no plain file", file,
            shard);
    add_file(path);
    opened[shard] = files_.size() - 1;
  }
  for (const auto& [tensor, shard] : parsed["weight_map"].items()) {
    const std::string name = shard.get<std::string>();
    require(files_[opened.at(name)].has(tensor), ErrorKind::checkpoint, "model",
            "{}: {} has no tensor '{}'", file, name, tensor);
  }
}

const TensorEntry& WeightFiles::entry(const std::string& name) const {
  const auto found = places_.find(name);
  require(found != places_.end(), ErrorKind::checkpoint, "model", "{}: no tensor '{}'",
          directory_.string(), name);
  return files_[found->second.file].entry(found->second.stored_name);
}

Tensor WeightFiles::tensor(const std::string& name) const {
  entry(name);
  const Place& place = places_.at(name);
  return files_[place.file].tensor(place.stored_name);
}

std::vector<std::string> WeightFiles::names() const {
  std::vector<std::string> names;
  for (const auto& [name, place] : places_) names.push_back(name);
  return names;
}

}  // namespace tenfold::model

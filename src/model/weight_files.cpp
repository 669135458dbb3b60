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

/// Weights that other frameworks wrote: there is a way, but it is not through this program.
void refuse_other_frameworks(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    require(
        !(name.ends_with(".index") && name.find("ckpt") != std::string::npos),
        ErrorKind::unsupported, "model",
        "{} is a TensorFlow checkpoint: convert it first, with transformers 4 installed: python "
        "-m transformers.models.bert.convert_bert_original_tf_checkpoint_to_pytorch "
        "--tf_checkpoint_path {} --bert_config_file bert_config.json --pytorch_dump_path "
        "pytorch_model.bin (for ELECTRA: models.electra.convert_electra_original_tf_checkpoint"
        "_to_pytorch)",
        entry.path().string(), (entry.path().parent_path() / entry.path().stem()).string());
    require(name != "tf_model.h5" && name != "flax_model.msgpack", ErrorKind::unsupported, "model",
            "{} holds weights of {} alone: convert them first, with transformers 4 installed: "
            "AutoModel.from_pretrained(DIR, {}=True).save_pretrained(OUT)",
            directory.string(), name == "tf_model.h5" ? "TensorFlow" : "Flax",
            name == "tf_model.h5" ? "from_tf" : "from_flax");
  }
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
  const auto there = [&](const char* name) { return std::filesystem::exists(directory / name); };
  if (there("model.safetensors")) {
    add_file(directory / "model.safetensors", Format::safetensors);
  } else if (there("model.safetensors.index.json")) {
    add_shards(directory / "model.safetensors.index.json", Format::safetensors);
  } else if (there("pytorch_model.bin")) {
    add_file(directory / "pytorch_model.bin", Format::pytorch);
  } else if (there("pytorch_model.bin.index.json")) {
    add_shards(directory / "pytorch_model.bin.index.json", Format::pytorch);
  } else {
    refuse_other_frameworks(directory);
    fail(ErrorKind::checkpoint, "model",
         "{} holds neither model.safetensors nor pytorch_model.bin, nor an index of either",
         directory.string());
  }
}

void WeightFiles::add_file(const std::filesystem::path& path, Format format) {
  if (format == Format::safetensors) {
    files_.push_back(SafetensorsFile::open(path, Access::whole));
  } else {
    files_.push_back(MappedTensors::open_torch_checkpoint(path, Access::whole));
  }
  for (const TensorEntry& entry : files_.back().entries()) {
    const std::string name = present_name(entry.name, family_);
    if (name.empty()) continue;
    require(places_.emplace(name, Place{files_.size() - 1, entry.name}).second,
            ErrorKind::checkpoint, "model", "{}: '{}' is stored twice", path.string(), name);
  }
}

void WeightFiles::add_shards(const std::filesystem::path& index, Format format) {
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
    add_file(path, format);
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

// Writing model directories: config.json and one or several safetensors files.
// Not here: reading them (checkpoint.cpp).
#include <nlohmann/json.hpp>

#include "model/checkpoint.h"
#include "model/stored_tensors.h"
#include "support/files.h"
#include "tensor/device.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {

void write_model(const std::filesystem::path& folder, const ModelDescription& description,
                 const std::vector<OwnedModule>& modules, const WriteOptions& options) {
  ModelDescription described = description;
  std::vector<NamedTensors> shards(1);
  uint64_t in_shard = 0, total = 0;
  for (const OwnedModule& owned : modules) {
    for (const auto& [name, held] : stored_tensors(owned)) {
      const Tensor value = held.detach().to(options.dtype.value_or(held.scalar_type()));
      if (total == 0) described.dtype = dtype_name(value.scalar_type());
      const uint64_t bytes = value.nbytes();
      if (in_shard > 0 && in_shard + bytes > options.shard_bytes) {
        shards.emplace_back();
        in_shard = 0;
      }
      shards.back().emplace_back(name, value);
      in_shard += bytes;
      total += bytes;
    }
  }
  write_file_atomically(folder / "config.json", description_json(described));
  if (shards.size() == 1) {
    write_safetensors(folder / "model.safetensors", shards[0]);
    return;
  }
  nlohmann::ordered_json index{{"metadata", {{"total_size", total}}},
                               {"weight_map", nlohmann::ordered_json::object()}};
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_safetensors(folder / name, shards[i]);
    for (const auto& [tensor, value] : shards[i]) index["weight_map"][tensor] = name;
  }
  write_file_atomically(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

}  // namespace tenfold::model

// PyTorch checkpoints written byte by byte for tests: a pickle of opcodes, and an archive of stored
// entries, each with whatever a test wants wrong in it. Not here: reading
// (tensor/torch_checkpoint.h).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/mapped_tensors.h"

namespace tenfold::testing {

/// Little-endian bytes of a number.
template <typename T>
std::string number_bytes(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// Opcodes of a state_dict; pieces are joined with +.
namespace pickle {
inline std::string text(std::string_view s) {
  return "X" + number_bytes(static_cast<uint32_t>(s.size())) + std::string(s);
}
inline std::string number(int64_t n) { return "\x8a\x08" + number_bytes(n); }
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::vector<int64_t>& numbers) {
  std::string ops = "(";
  for (const int64_t n : numbers) ops += number(n);
  return ops + "t";
}
inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }
inline std::string storage(std::string_view type, std::string_view key, int64_t size) {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(size) +
         "tQ";
}
inline std::string tensor(const std::string& storage, int64_t offset,
                          const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + number(offset) +
         tuple(shape) + tuple(strides) + "\x89" + ordered_dict() + "tR";
}
/// A whole pickle of a state_dict.
inline std::string state_dict(const std::vector<std::pair<std::string, std::string>>& values) {
  std::string ops = "\x80\x02" + ordered_dict() + "(";
  for (const auto& [name, value] : values) ops += text(name) + value;
  return ops + "u.";
}
}  // namespace pickle

struct ArchiveEntry {
  std::string name, content;
  uint16_t method = 0;  ///< 0: stored
};

/// A zip archive (checksums are left 0: nobody reads them).
inline std::string zip_archive(const std::vector<ArchiveEntry>& entries) {
  std::string bytes, directory;
  for (const ArchiveEntry& entry : entries) {
    const auto length = static_cast<uint32_t>(entry.content.size());
    const std::string common = number_bytes<uint16_t>(0) + number_bytes(entry.method) +
                               std::string(8, '\0') + number_bytes(length) + number_bytes(length) +
                               number_bytes(static_cast<uint16_t>(entry.name.size()));
    directory += "PK\1\2" + number_bytes<uint32_t>(0x00140014) + common + std::string(12, '\0') +
                 number_bytes(static_cast<uint32_t>(bytes.size())) + entry.name;
    bytes += "PK\3\4" + number_bytes<uint16_t>(0x0014) + common + number_bytes<uint16_t>(0) +
             entry.name + entry.content;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  const std::string end =
      "PK\5\6" + std::string(4, '\0') + number_bytes(count) + number_bytes(count) +
      number_bytes(static_cast<uint32_t>(directory.size())) +
      number_bytes(static_cast<uint32_t>(bytes.size())) + number_bytes<uint16_t>(0);
  return bytes + directory + end;
}

/// An archive as torch.save names its entries: data.pkl, the storages data/0, data/1, ...
inline std::string torch_archive(const std::string& pickle,
                                 const std::vector<std::string>& storages) {
  std::vector<ArchiveEntry> entries{{"archive/data.pkl", pickle}};
  for (size_t i = 0; i < storages.size(); ++i)
    entries.push_back({"archive/data/" + std::to_string(i), storages[i]});
  entries.push_back({"archive/version", "3\n"});
  return zip_archive(entries);
}

/// The fp32 tensors as a checkpoint of their own.
inline std::string torch_checkpoint_of(const std::vector<std::pair<std::string, Tensor>>& tensors) {
  std::vector<std::pair<std::string, std::string>> values;
  std::vector<std::string> storages;
  for (const auto& [name, tensor] : tensors) {
    const Tensor plain = tensor.detach().to(torch::kFloat32).contiguous();
    values.emplace_back(
        name, pickle::tensor(
                  pickle::storage("FloatStorage", std::to_string(storages.size()), plain.numel()),
                  0, plain.sizes().vec(), plain.strides().vec()));
    storages.emplace_back(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes());
  }
  return torch_archive(pickle::state_dict(values), storages);
}

}  // namespace tenfold::testing

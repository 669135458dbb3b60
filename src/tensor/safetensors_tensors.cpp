// Mapped reading and streamed writing of torch tensors.
// Not here: header checks.
#include "tensor/safetensors_tensors.h"

namespace tenfold {

SafetensorsFile::SafetensorsFile(std::shared_ptr<const MappedFile> file, SafetensorsHeader header)
    : MappedTensors(std::move(file), std::move(header.tensors), header.data_begin),
      metadata_(
          std::make_shared<const std::map<std::string, std::string>>(std::move(header.metadata))) {}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, Access access) {
  auto file = std::make_shared<const MappedFile>(path, access, ErrorKind::checkpoint);
  SafetensorsHeader header = parse_safetensors(file->bytes(), path.string());
  return {std::move(file), std::move(header)};
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    entries.push_back({.name = name,
                       .type = element_type(tensor.scalar_type()),
                       .shape = tensor.sizes().vec(),
                       .begin = 0,
                       .end = 0});
  }
  AtomicFile file(path);
  file.write(make_safetensors_header(entries, metadata));
  for (const auto& [name, tensor] : tensors) {
    const Tensor plain = tensor.detach().to(torch::kCPU).contiguous();
    file.write(std::span(static_cast<const std::byte*>(plain.const_data_ptr()), plain.nbytes()));
  }
  file.commit();
}

}  // namespace tenfold

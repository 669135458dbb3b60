// Mapped reading and streamed writing of torch tensors.
// Not here: header checks.
#include "tensor/safetensors_tensors.h"

#include <array>
#include <cstring>

#include "support/fail.h"

namespace tenfold {
namespace {

constexpr std::array<std::pair<ElementType, torch::ScalarType>, 13> kScalarTypes = {
    {{ElementType::f64, torch::kFloat64},
     {ElementType::f32, torch::kFloat32},
     {ElementType::f16, torch::kFloat16},
     {ElementType::bf16, torch::kBFloat16},
     {ElementType::i64, torch::kInt64},
     {ElementType::i32, torch::kInt32},
     {ElementType::i16, torch::kInt16},
     {ElementType::i8, torch::kInt8},
     {ElementType::u64, torch::kUInt64},
     {ElementType::u32, torch::kUInt32},
     {ElementType::u16, torch::kUInt16},
     {ElementType::u8, torch::kUInt8},
     {ElementType::boolean, torch::kBool}}};

}  // namespace

torch::ScalarType scalar_type(ElementType type) {
  for (const auto& [element, scalar] : kScalarTypes) {
    if (element == type) return scalar;
  }
  fail(ErrorKind::internal, "safetensors", "element type {} has no torch type", element_name(type));
}

ElementType element_type(torch::ScalarType type) {
  for (const auto& [element, scalar] : kScalarTypes) {
    if (scalar == type) return element;
  }
  fail(ErrorKind::unsupported, "safetensors", "tensors of type {} cannot be stored",
       c10::toString(type));
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path, Access access) {
  SafetensorsFile opened;
  opened.file_ = std::make_shared<MappedFile>(path, access, ErrorKind::checkpoint);
  opened.header_ =
      std::make_shared<SafetensorsHeader>(parse_safetensors(opened.file_->bytes(), path.string()));
  for (size_t i = 0; i < opened.header_->tensors.size(); ++i) {
    opened.index_[opened.header_->tensors[i].name] = i;
  }
  return opened;
}

const TensorEntry& SafetensorsFile::entry(const std::string& name) const {
  const auto found = index_.find(name);
  require(found != index_.end(), ErrorKind::checkpoint, "safetensors", "{}: no tensor '{}'",
          file_->path().string(), name);
  return header_->tensors[found->second];
}

Tensor SafetensorsFile::tensor(const std::string& name) const {
  const TensorEntry& at = entry(name);
  const auto options = torch::TensorOptions().dtype(scalar_type(at.type));
  if (at.begin == at.end) return torch::empty(at.shape, options);
  const std::byte* bytes = file_->bytes().data() + header_->data_begin + at.begin;
  if (reinterpret_cast<uintptr_t>(bytes) % element_size(at.type) != 0) {
    Tensor copy = torch::empty(at.shape, options);
    std::memcpy(copy.data_ptr(), bytes, at.end - at.begin);
    return copy;
  }
  auto keep_alive = file_;
  return torch::from_blob(
      const_cast<std::byte*>(bytes), at.shape, [keep_alive](void*) {}, options);
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

// Views of mapped bytes as tensors.
// Not here: checks of places (the formats' readers).
#include "tensor/mapped_tensors.h"

#include <array>
#include <cstring>

#include "support/fail.h"
#include "tensor/torch_checkpoint.h"

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

/// The elements `entry` takes of the file, one after another.
Tensor elements_of(const TensorEntry& entry, const std::byte* bytes,
                   std::shared_ptr<const MappedFile> keep_alive) {
  const auto options = torch::TensorOptions().dtype(scalar_type(entry.type));
  const auto count = static_cast<int64_t>((entry.end - entry.begin) / element_size(entry.type));
  if (reinterpret_cast<uintptr_t>(bytes) % element_size(entry.type) != 0) {
    Tensor copy = torch::empty({count}, options);
    std::memcpy(copy.data_ptr(), bytes, entry.end - entry.begin);
    return copy;
  }
  return torch::from_blob(
      const_cast<std::byte*>(bytes), {count}, [keep_alive](void*) {}, options);
}

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

MappedTensors::MappedTensors(std::shared_ptr<const MappedFile> file,
                             std::vector<TensorEntry> entries, uint64_t data_begin)
    : file_(std::move(file)),
      entries_(std::make_shared<const std::vector<TensorEntry>>(std::move(entries))),
      data_begin_(data_begin) {
  for (size_t i = 0; i < entries_->size(); ++i) index_[(*entries_)[i].name] = i;
}

MappedTensors MappedTensors::open_torch_checkpoint(const std::filesystem::path& path,
                                                   Access access) {
  auto file = std::make_shared<const MappedFile>(path, access, ErrorKind::checkpoint);
  auto entries = parse_torch_checkpoint(file->bytes(), path.string());
  return {std::move(file), std::move(entries), 0};
}

const TensorEntry& MappedTensors::entry(const std::string& name) const {
  const auto found = index_.find(name);
  require(found != index_.end(), ErrorKind::checkpoint, "checkpoint", "{}: no tensor '{}'",
          file_->path().string(), name);
  return (*entries_)[found->second];
}

Tensor MappedTensors::tensor(const std::string& name) const {
  const TensorEntry& at = entry(name);
  if (at.begin == at.end)
    return torch::empty(at.shape, torch::TensorOptions().dtype(scalar_type(at.type)));
  const Tensor flat = elements_of(at, file_->bytes().data() + data_begin_ + at.begin, file_);
  return at.strides.empty() ? flat.view(at.shape)
                            : flat.as_strided(at.shape, at.strides).contiguous();
}

}  // namespace tenfold

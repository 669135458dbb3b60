// An archive with a pickle and a file for each storage, put together.
// Not here: the archive's directory (stored_zip.cpp), the pickle's opcodes (pickled_tensors.cpp).
#include "tensor/torch_checkpoint.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "support/fail.h"
#include "support/files.h"
#include "tensor/pickled_tensors.h"
#include "tensor/stored_zip.h"

namespace tenfold {
namespace {

/// The entries below the archive's one folder, by their names within it.
class TorchArchive {
 public:
  TorchArchive(std::span<const std::byte> bytes, const std::string& file)
      : bytes_(bytes), file_(file) {
    for (ZipEntry& entry : parse_stored_zip(bytes, file)) {
      const size_t slash = entry.name.find('/');
      if (slash == std::string::npos) continue;
      if (entry.name.substr(slash) == "/data.pkl") folder_ = entry.name.substr(0, slash + 1);
      std::string name = std::move(entry.name);
      entries_.emplace(std::move(name), std::move(entry));
    }
    require(!folder_.empty(), ErrorKind::checkpoint, "pytorch",
            "{}: the archive holds no data.pkl: it was not written by torch.save", file);
    require(find("constants.pkl") == nullptr, ErrorKind::unsupported, "pytorch",
            "{}: a compiled module (TorchScript): save model.state_dict() instead", file);
    if (const ZipEntry* order = find("byteorder")) {
      require(as_text(content(*order)) == "little", ErrorKind::unsupported, "pytorch",
              "{}: only little-endian data is read", file);
    }
  }

  const ZipEntry* find(const std::string& name) const {
    const auto found = entries_.find(folder_ + name);
    return found == entries_.end() ? nullptr : &found->second;
  }
  std::span<const std::byte> content(const ZipEntry& entry) const {
    return bytes_.subspan(entry.begin, entry.end - entry.begin);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::string folder_;
  std::map<std::string, ZipEntry> entries_;
};

/// Elements from the first to one past the last that the view reaches, and whether it is row-major.
struct View {
  uint64_t elements = 1, reach = 1;
  bool row_major = true;
};

View view_of(const PickledTensor& tensor, const std::string& file) {
  const auto refuse = [&](std::string_view why) {
    fail(ErrorKind::checkpoint, "pytorch", "{}: '{}': {}", file, tensor.name, why);
  };
  if (tensor.shape.size() != tensor.strides.size()) refuse("shape and strides differ in length");
  if (tensor.storage_size < 0 || tensor.offset < 0) refuse("a size or an offset is below 0");
  View view;
  uint64_t last = 0;
  for (size_t d = tensor.shape.size(); d-- > 0;) {
    if (tensor.shape[d] < 0 || tensor.strides[d] < 0) refuse("a dimension or a stride is below 0");
    const auto n = static_cast<uint64_t>(tensor.shape[d]),
               stride = static_cast<uint64_t>(tensor.strides[d]);
    if (n > 1 && stride != view.elements) view.row_major = false;
    uint64_t step = 0;
    if (n > 0 &&
        (__builtin_mul_overflow(n - 1, stride, &step) || __builtin_add_overflow(last, step, &last)))
      refuse("the strides overflow 64 bits");
    if (__builtin_mul_overflow(view.elements, n, &view.elements))
      refuse("the shape overflows 64 bits");
  }
  view.reach = view.elements == 0 ? 0 : last + 1;
  const auto stored = static_cast<uint64_t>(tensor.storage_size),
             offset = static_cast<uint64_t>(tensor.offset);
  if (offset > stored || view.reach > stored - offset)
    refuse("the view passes the end of its storage");
  // A view of few elements with a huge shape (stride 0) would take memory that no file backs.
  require(view.elements <= view.reach, ErrorKind::unsupported, "pytorch",
          "{}: '{}' is an overlapping view: make it contiguous before saving", file, tensor.name);
  return view;
}

TensorEntry place_tensor(const TorchArchive& archive, const PickledTensor& tensor,
                         const std::string& file) {
  const View view = view_of(tensor, file);
  const ZipEntry* storage = archive.find("data/" + std::string(tensor.storage));
  require(storage != nullptr, ErrorKind::checkpoint, "pytorch",
          "{}: '{}': the archive lacks its storage data/{}", file, tensor.name, tensor.storage);
  const uint64_t size = element_size(tensor.type), stored = storage->end - storage->begin;
  require(static_cast<uint64_t>(tensor.storage_size) <= stored / size &&
              static_cast<uint64_t>(tensor.storage_size) * size == stored,
          ErrorKind::checkpoint, "pytorch",
          "{}: '{}': data/{} has {} bytes, {} elements of {} bytes were expected", file,
          tensor.name, tensor.storage, stored, tensor.storage_size, size);
  TensorEntry entry{.name = tensor.name,
                    .type = tensor.type,
                    .shape = tensor.shape,
                    .begin = storage->begin + static_cast<uint64_t>(tensor.offset) * size,
                    .end = 0};
  entry.end = entry.begin + view.reach * size;
  if (!view.row_major && view.elements > 0) entry.strides = tensor.strides;
  return entry;
}

}  // namespace

std::vector<TensorEntry> parse_torch_checkpoint(std::span<const std::byte> bytes,
                                                const std::string& file) {
  const std::string_view text = as_text(bytes);
  require(!text.starts_with("\x80\x02") && !text.starts_with("\x80\x04"), ErrorKind::unsupported,
          "pytorch",
          "{}: written by PyTorch before 1.6, or by pickle alone: load it once in Python and save "
          "it again, torch.save(torch.load(FILE, map_location='cpu'), FILE)",
          file);
  require(looks_like_zip(bytes), ErrorKind::checkpoint, "pytorch",
          "{}: not a PyTorch checkpoint: it does not begin as a zip archive", file);
  const TorchArchive archive(bytes, file);
  const std::vector<PickledTensor> tensors =
      parse_state_dict(archive.content(*archive.find("data.pkl")), file);
  std::vector<TensorEntry> entries;
  for (const PickledTensor& tensor : tensors)
    entries.push_back(place_tensor(archive, tensor, file));
  return entries;
}

}  // namespace tenfold

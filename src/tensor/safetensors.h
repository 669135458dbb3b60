// The safetensors format: what a file's header says, checked before anything is allocated or read.
// Not here: torch tensors (safetensors_tensors.h) and which names a model expects
// (model/checkpoint.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold {

enum class ElementType : uint8_t {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

/// The format's own spelling ("F32", "BF16", "BOOL", ...) and the bytes of one element.
std::string_view element_name(ElementType type);
uint64_t element_size(ElementType type);

/// One tensor of a file: bytes [begin, end) counted from the start of the data.
struct TensorEntry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
  std::vector<int64_t> strides = {};  ///< in elements; empty: row-major, as always in this format
};

struct SafetensorsHeader {
  std::vector<TensorEntry>
      tensors;  ///< by place in the data, which they fill without hole or overlap
  std::map<std::string, std::string> metadata;
  uint64_t data_begin = 0;  ///< offset of the data in the file
};

/// Longest header taken, as in the reference package.
inline constexpr uint64_t kLargestSafetensorsHeader = 100'000'000;

/// Parses and checks the header of a whole file. Never allocates more than a small multiple of the
/// header; nesting, duplicate names, sizes that overflow, holes, overlaps and trailing bytes are
/// refused. Error{checkpoint} naming `file`, the tensor or offset, and the rule.
SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

/// The header of a file that holds `tensors` one after another (begin and end are set here), with
/// its 8 bytes of length, padded with blanks so that the data starts at a multiple of 8.
std::string make_safetensors_header(std::vector<TensorEntry>& tensors,
                                    const std::map<std::string, std::string>& metadata);

}  // namespace tenfold

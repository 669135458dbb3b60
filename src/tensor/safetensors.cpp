// Parsing and writing safetensors headers.
// Not here: torch.
#include "tensor/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "support/fail.h"
#include "support/json.h"

namespace tenfold {
namespace {

struct ElementInfo {
  ElementType type;
  std::string_view name;
  uint64_t size;
};

constexpr std::array<ElementInfo, 13> kElements = {{{ElementType::f64, "F64", 8},
                                                    {ElementType::f32, "F32", 4},
                                                    {ElementType::f16, "F16", 2},
                                                    {ElementType::bf16, "BF16", 2},
                                                    {ElementType::i64, "I64", 8},
                                                    {ElementType::i32, "I32", 4},
                                                    {ElementType::i16, "I16", 2},
                                                    {ElementType::i8, "I8", 1},
                                                    {ElementType::u64, "U64", 8},
                                                    {ElementType::u32, "U32", 4},
                                                    {ElementType::u16, "U16", 2},
                                                    {ElementType::u8, "U8", 1},
                                                    {ElementType::boolean, "BOOL", 1}}};

constexpr size_t kLargestRank = 8;
constexpr size_t kMostTensors = 65536;  // also of metadata; each costs memory beyond its bytes
constexpr size_t kLongestName = 512;
constexpr uint64_t kLongestToken = 8 << 20;  // of metadata, which may hold whole configurations

/// Takes the header's JSON event by event: depth, order and types are known at every place, so
/// nothing the format does not have is ever stored. Throws through the parser.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderEvents(SafetensorsHeader& header, const std::string& file) : header_(header), file_(file) {}

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a truth value"); }
  bool number_float(double, const std::string& text) override {
    return unexpected("the number " + text);
  }
  bool binary(binary_t&) override { return unexpected("binary data"); }

  bool number_integer(int64_t value) override { refuse("'{}': {} is below 0", entry_.name, value); }
  bool number_unsigned(uint64_t value) override {
    if (place_ != Place::shape && place_ != Place::offsets) return unexpected("a number");
    numbers_.push_back(value);
    if (numbers_.size() > kLargestRank)
      refuse("'{}': more than {} numbers", entry_.name, kLargestRank);
    return true;
  }

  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = value;
      return true;
    }
    if (place_ != Place::entry || key_ != "dtype") return unexpected("a text");
    const auto found = std::find_if(kElements.begin(), kElements.end(),
                                    [&](const ElementInfo& e) { return e.name == value; });
    if (found == kElements.end()) refuse("'{}': unknown element type '{}'", entry_.name, value);
    entry_.type = found->type;
    seen_.insert(key_);
    return true;
  }

  bool start_object(size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::top;
    } else if (place_ == Place::top && key_ == "__metadata__") {
      place_ = Place::metadata;
    } else if (place_ == Place::top) {
      place_ = Place::entry;
      entry_ = {.name = key_, .type = ElementType::f32, .shape = {}, .begin = 0, .end = 0};
      seen_.clear();
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::entry) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!seen_.contains(field)) refuse("'{}': no {}", entry_.name, field);
      }
      header_.tensors.push_back(std::move(entry_));
    }
    place_ = place_ == Place::top ? Place::outside : Place::top;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ == Place::entry && key_ == "shape") {
      place_ = Place::shape;
    } else if (place_ == Place::entry && key_ == "data_offsets") {
      place_ = Place::offsets;
    } else {
      return unexpected("a list");
    }
    numbers_.clear();
    return true;
  }

  bool end_array() override {
    if (place_ == Place::shape) {
      for (uint64_t n : numbers_) {
        if (n > INT64_MAX) refuse("'{}': dimension {} is too large", entry_.name, n);
        entry_.shape.push_back(static_cast<int64_t>(n));
      }
    } else {
      if (numbers_.size() != 2) refuse("'{}': data_offsets needs two numbers", entry_.name);
      entry_.begin = numbers_[0];
      entry_.end = numbers_[1];
    }
    seen_.insert(place_ == Place::shape ? "shape" : "data_offsets");
    place_ = Place::entry;
    return true;
  }

  bool key(std::string& name) override {
    key_ = name;
    if (place_ == Place::top) {
      if (name.size() > kLongestName)
        refuse("'{}': the name has more than {} bytes", name, kLongestName);
      if (header_.tensors.size() == kMostTensors) refuse("more than {} tensors", kMostTensors);
      if (name == "__metadata__" && std::exchange(has_metadata_, true))
        refuse("'{}' appears twice", name);
    }
    if (place_ == Place::metadata) {
      if (header_.metadata.contains(name)) refuse("__metadata__: '{}' appears twice", name);
      if (header_.metadata.size() == kMostTensors)
        refuse("__metadata__ has more than {} entries", kMostTensors);
    }
    if (place_ == Place::entry) {
      if (name != "dtype" && name != "shape" && name != "data_offsets") {
        refuse("'{}': unknown field '{}'", entry_.name, name);
      }
      if (seen_.contains(name)) refuse("'{}': {} appears twice", entry_.name, name);
    }
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    refuse("the header is not JSON at byte {}", 8 + position);
  }

 private:
  enum class Place : uint8_t { outside, top, metadata, entry, shape, offsets };

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::checkpoint, "safetensors", "{}: {}", file_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] bool unexpected(const std::string& what) const {
    refuse("{} where the format has none (after key '{}')", what, key_);
  }

  SafetensorsHeader& header_;
  const std::string& file_;
  Place place_ = Place::outside;
  std::string key_;
  bool has_metadata_ = false;
  std::set<std::string> seen_;
  TensorEntry entry_;
  std::vector<uint64_t> numbers_;
};

/// Bytes a shape needs; refuses products beyond 64 bits.
uint64_t bytes_of(const TensorEntry& entry, const std::string& file) {
  uint64_t bytes = element_size(entry.type);
  for (int64_t n : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(n), &bytes)) {
      fail(ErrorKind::checkpoint, "safetensors", "{}: '{}': the shape overflows 64 bits", file,
           entry.name);
    }
  }
  return bytes;
}

void check_names(const SafetensorsHeader& header, const std::string& file) {
  std::vector<std::string_view> names;
  names.reserve(header.tensors.size());
  for (const TensorEntry& entry : header.tensors) names.push_back(entry.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return;
  fail(ErrorKind::checkpoint, "safetensors", "{}: '{}' appears twice", file, *twice);
}

void check_places(SafetensorsHeader& header, uint64_t data_size, const std::string& file) {
  std::stable_sort(header.tensors.begin(), header.tensors.end(),
                   [](const TensorEntry& a, const TensorEntry& b) {
                     return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                   });
  uint64_t at = 0;
  for (const TensorEntry& entry : header.tensors) {
    require(entry.begin <= entry.end && entry.end <= data_size, ErrorKind::checkpoint,
            "safetensors", "{}: '{}' claims bytes {}..{} of {}", file, entry.name, entry.begin,
            entry.end, data_size);
    require(entry.begin == at, ErrorKind::checkpoint, "safetensors",
            "{}: '{}' begins at byte {} where {} was expected (a hole or an overlap)", file,
            entry.name, entry.begin, at);
    const uint64_t needed = bytes_of(entry, file);
    require(needed == entry.end - entry.begin, ErrorKind::checkpoint, "safetensors",
            "{}: '{}' needs {} bytes for its shape, {} are given", file, entry.name, needed,
            entry.end - entry.begin);
    at = entry.end;
  }
  require(at == data_size, ErrorKind::checkpoint, "safetensors",
          "{}: {} bytes after the last tensor", file, data_size - at);
}

}  // namespace

std::string_view element_name(ElementType type) {
  return kElements[static_cast<size_t>(type)].name;
}
uint64_t element_size(ElementType type) { return kElements[static_cast<size_t>(type)].size; }

SafetensorsHeader parse_safetensors(std::span<const std::byte> bytes, const std::string& file) {
  require(bytes.size() >= 8, ErrorKind::checkpoint, "safetensors",
          "{}: {} bytes, at least 8 expected", file, bytes.size());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  require(length <= kLargestSafetensorsHeader, ErrorKind::checkpoint, "safetensors",
          "{}: a header of {} bytes is above the limit of {}", file, length,
          kLargestSafetensorsHeader);
  require(length <= bytes.size() - 8, ErrorKind::checkpoint, "safetensors",
          "{}: the header of {} bytes passes the end of the file", file, length);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  require(!text.empty() && text.front() == '{', ErrorKind::checkpoint, "safetensors",
          "{}: the header does not begin with '{{'", file);
  require(longest_json_token(text) <= kLongestToken, ErrorKind::checkpoint, "safetensors",
          "{}: the header holds a text or number of more than {} bytes", file, kLongestToken);
  SafetensorsHeader header;
  header.data_begin = 8 + length;
  HeaderEvents events(header, file);
  nlohmann::json::sax_parse(text.begin(), text.end(), &events);
  check_names(header, file);
  check_places(header, bytes.size() - header.data_begin, file);
  return header;
}

std::string make_safetensors_header(std::vector<TensorEntry>& tensors,
                                    const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json json;
  if (!metadata.empty()) json["__metadata__"] = metadata;
  uint64_t at = 0;
  for (TensorEntry& entry : tensors) {
    entry.begin = at;
    entry.end = at += bytes_of(entry, "a new file");
    json[entry.name] = {{"dtype", element_name(entry.type)},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = json.is_null() ? "{}" : json.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + text;
}

}  // namespace tenfold

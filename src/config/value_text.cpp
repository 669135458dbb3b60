// TOML text of single values.
// Not here: tables and their order (writer.cpp).
#include "config/value_text.h"

#include <cmath>

namespace tenfold::config {
namespace {

std::string scalar_text(bool value) { return value ? "true" : "false"; }
std::string scalar_text(int64_t value) { return std::to_string(value); }
std::string scalar_text(const std::string& value) { return quoted_toml(value); }
std::string scalar_text(const PlainValue& value) { return value.toml; }

// Shortest digits that read back equal, with a mark that it is no integer.
std::string scalar_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <typename T>
std::string scalar_text(const std::vector<T>& values) {
  std::string text = "[";
  for (const T& value : values) {
    if (text.size() > 1) text += ", ";
    text += scalar_text(value);
  }
  return text + "]";
}

}  // namespace

std::string value_text(const FieldValue& value) {
  return std::visit([](const auto* held) { return scalar_text(*held); }, value);
}

std::string quoted_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string_view type_name(const FieldValue& value) {
  constexpr std::string_view kNames[] = {"boolean",       "integer",          "number",
                                         "text",          "list of integers", "list of numbers",
                                         "list of texts", "list of values"};
  static_assert(std::variant_size_v<FieldValue> == std::size(kNames));
  return kNames[value.index()];
}

std::string join_path(std::string_view path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

}  // namespace tenfold::config

// Writing options as TOML or JSON, and comparing two of them field by field.
// Not here: reading (reader.h), or files (the caller writes the text atomically).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::config {

enum class Comments { none, help };

/// One field with its place and its value as TOML text. A field left out has the value "".
struct FlatField {
  std::string path;
  std::string value;
};

/// A field in which two configurations differ; "" where one of them lacks it.
struct Difference {
  std::string path;
  std::string before;
  std::string after;
};

std::string write_toml(const FieldSet& set, Comments comments);
nlohmann::json write_json(const FieldSet& set);
std::vector<FlatField> flatten(const FieldSet& set);
std::vector<Difference> difference(const std::vector<FlatField>& before,
                                   const std::vector<FlatField>& after);

/// The effective configuration as TOML: every field, in the order listed; reading it back gives
/// equal options.
template <HasFields T>
std::string write_toml(const T& options, Comments comments = Comments::none) {
  T copy = options;
  return write_toml(field_set(copy), comments);
}

/// The same as a JSON object.
template <HasFields T>
nlohmann::json write_json(const T& options) {
  T copy = options;
  return write_json(field_set(copy));
}

/// Every field with its dotted path, in the order listed; list items by index, "layers.0.count".
template <HasFields T>
std::vector<FlatField> flatten(const T& options) {
  T copy = options;
  return flatten(field_set(copy));
}

/// The fields whose values differ, in order; empty: the options are equal.
template <HasFields T>
std::vector<Difference> difference(const T& before, const T& after) {
  return difference(flatten(before), flatten(after));
}

template <HasFields T>
bool equal(const T& a, const T& b) {
  return difference(a, b).empty();
}

}  // namespace tenfold::config

// One object of a tokenizer's JSON with its path, so that every complaint can say where.
// Not here: what the objects mean (tokenizer_json.cpp, normalizers.cpp, splitters.cpp and others).
#pragma once

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "support/fail.h"

namespace tenfold::text {

/// A view: the JSON must outlive it.
class Block {
 public:
  Block(const nlohmann::json& value, std::string file, std::string path)
      : value_(value), file_(std::move(file)), path_(std::move(path)) {
    if (!value.is_object()) damaged("must be an object, got {}", value.type_name());
  }

  template <typename... Args>
  [[noreturn]] void damaged(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::checkpoint, "tokenizer", "{}: {} {}", file_, path_,
         fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  [[noreturn]] void unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::unsupported, "tokenizer", "{}: {} {}", file_, path_,
         fmt::format(format, std::forward<Args>(args)...));
  }

  /// Error (unsupported) for a key that is none of these.
  void allow_keys(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : value_.items()) {
      if (std::find(known.begin(), known.end(), key) == known.end())
        unsupported("has an unknown key '{}'", key);
    }
  }
  bool has(std::string_view key) const {
    return value_.contains(key) && !value_[std::string(key)].is_null();
  }
  const nlohmann::json& at(std::string_view key) const {
    const auto found = value_.find(key);
    if (found == value_.end()) damaged("lacks '{}'", key);
    return *found;
  }
  const nlohmann::json& value() const { return value_; }
  Block block(std::string_view key) const {
    return {at(key), file_, path_ + "." + std::string(key)};
  }
  Block item(const nlohmann::json& value, size_t index) const {
    return {value, file_, fmt::format("{}[{}]", path_, index)};
  }
  std::string type() const { return text("type"); }

  std::string text(std::string_view key) const {
    if (!at(key).is_string()) damaged("'{}' must be a string, got {}", key, at(key).type_name());
    return at(key).get<std::string>();
  }
  std::string text(std::string_view key, std::string fallback) const {
    return has(key) ? text(key) : fallback;
  }
  bool flag(std::string_view key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!at(key).is_boolean())
      damaged("'{}' must be true or false, got {}", key, at(key).type_name());
    return at(key).get<bool>();
  }
  int64_t count(std::string_view key, int64_t limit) const {
    if (!at(key).is_number_integer())
      damaged("'{}' must be a whole number, got {}", key, at(key).type_name());
    const bool fits = at(key).is_number_unsigned()
                          ? at(key).get<uint64_t>() < static_cast<uint64_t>(limit)
                          : at(key).get<int64_t>() >= 0 && at(key).get<int64_t>() < limit;
    if (!fits) damaged("'{}' must be from 0 to {}, got {}", key, limit - 1, at(key).dump());
    return at(key).get<int64_t>();
  }
  const nlohmann::json& array(std::string_view key) const {
    if (!at(key).is_array()) damaged("'{}' must be an array, got {}", key, at(key).type_name());
    return at(key);
  }

 private:
  const nlohmann::json& value_;
  std::string file_, path_;
};

}  // namespace tenfold::text

// Reading options from TOML (or JSON) with overrides, checked against the fields they list.
// Not here: what the options mean, and rules between sections that only the program knows.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"

namespace tenfold::config {

/// A parsed configuration text. Movable; not thread-safe.
class Document {
 public:
  /// No keys at all: reading gives the defaults, and whatever is `set`.
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  /// Error{config} with file:line:column where the text is not TOML. `name` stands in messages.
  static Document parse(std::string_view text, std::string name);

  /// A TOML file of at most 256 KiB. Error{config} naming the path where it cannot be read or
  /// parsed.
  static Document load(const std::filesystem::path& path);

  /// The same from a JSON object (numbers, texts, booleans, objects, lists; null counts as absent).
  static Document from_json(const nlohmann::json& object, std::string name);

  /// Overrides one key: "path.to.key=value", an index for list items ("model.layers.0.count=2").
  /// The value is TOML; a text that is none is taken as a bare string. Later ones win.
  /// Error{config} naming `--set`.
  void set(std::string_view assignment);
  void set(const std::vector<std::string>& assignments);

  /// Reads into `options`: keys that are absent keep their value. Error{config} for unknown keys
  /// (with the nearest legal name), wrong types and values out of range; then each struct's
  /// validate() runs. `options` is unspecified after a throw.
  template <HasFields T>
  void read(T& options, const ChoiceTables& tables = {}) const {
    read(field_set(options), tables);
  }
  void read(const FieldSet& set, const ChoiceTables& tables) const;

 private:
  struct State;
  explicit Document(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Defaults of T, then the file (none where `path` is empty), then the overrides; checked.
template <HasFields T>
T load(const std::filesystem::path& path, const std::vector<std::string>& overrides = {},
       const ChoiceTables& tables = {}) {
  Document document = path.empty() ? Document() : Document::load(path);
  document.set(overrides);
  T options;
  document.read(options, tables);
  return options;
}

}  // namespace tenfold::config

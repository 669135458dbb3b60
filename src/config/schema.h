// What can be configured, as rows for people and programs: help text, Markdown and JSON.
// Not here: the values of a run (writer.h).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::config {

/// One line of a reference page.
struct SchemaRow {
  enum class What { field, group, list, choice, kind };
  What what = What::field;
  std::string path;  ///< "train.optimizer.learning_rate"; list items as "model.layers[].count"
  std::string
      type;  ///< "integer", "number", "text", "boolean", "list of ..."; fields and choices only
  std::string default_value;  ///< TOML; empty where the field may be left out
  std::string legal;          ///< ">= 1", "one of a, b"; may be empty
  std::string help;
};

/// Rows of everything that may be set, the options of every kind of every choice included.
std::vector<SchemaRow> describe(const FieldSet& set, const ChoiceTables& tables);

/// Rows of T with its default values.
template <HasFields T>
std::vector<SchemaRow> describe(const ChoiceTables& tables = {}) {
  T defaults;
  return describe(field_set(defaults), tables);
}

/// Columns for `--help`: path, what is legal, default, help.
std::string help_text(const std::vector<SchemaRow>& rows);

/// A Markdown table with header: name, type, default, range, help.
std::string markdown(const std::vector<SchemaRow>& rows);

/// A list of objects with the members of SchemaRow.
nlohmann::json schema_json(const std::vector<SchemaRow>& rows);

}  // namespace tenfold::config

// Values of fields as TOML text, as needed by messages, the writer and the schema.
// Not here: parsing.
#pragma once

#include <string>
#include <string_view>

#include "config/fields.h"

namespace tenfold::config {

/// The value as TOML: quoted texts, numbers that keep their type, one-line lists.
std::string value_text(const FieldValue& value);

std::string quoted_toml(std::string_view text);

/// "integer", "number", "boolean", "text" or "list of ..." of it.
std::string_view type_name(const FieldValue& value);

/// "a.b" of "a" and "b"; "b" where `path` is empty.
std::string join_path(std::string_view path, std::string_view name);

}  // namespace tenfold::config

// JSON as the program prints it.
// Not here: reading JSON (support/json.h).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace tenfold::app {

/// On one line, or indented by `indent`. Bytes that are no UTF-8 (names, labels and texts come from
/// files) become U+FFFD, as in the tokenizer.
inline std::string json_text(const nlohmann::ordered_json& value, int indent = -1) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tenfold::app

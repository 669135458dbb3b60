// Fields of lines.
// Not here: rows (task_reading.cpp, object_rows.cpp).
#include "data/row_fields.h"

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {

std::vector<std::string> tab_fields(const std::string& line) {
  std::vector<std::string> fields;
  for (std::string_view field : split(line, '\t')) fields.emplace_back(field);
  return fields;
}

std::vector<std::string> comma_fields(std::string line, TextLines& lines) {
  std::vector<std::string> fields(1);
  const int64_t number = lines.number();
  bool quoted = false;
  for (size_t i = 0;; ++i) {
    if (i == line.size()) {
      if (!quoted) return fields;
      std::optional<std::string> more = lines.next();
      require(more.has_value(), ErrorKind::data, "task", "{}:{}: a quoted field has no end",
              lines.name(), number);
      fields.back() += '\n';
      line = std::move(*more);
      i = static_cast<size_t>(-1);
      continue;
    }
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
      require(fields.back().size() <= kLongestLine, ErrorKind::data, "task",
              "{}:{}: a quoted field has more than {} bytes", lines.name(), number, kLongestLine);
    }
  }
}

}  // namespace tenfold::data

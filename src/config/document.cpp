// Parsing TOML and JSON into a Document, and overriding single keys of it.
// Not here: checking keys and values (reader.cpp).
#include "config/document.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "config/toml_check.h"
#include "config/value_text.h"
#include "support/files.h"
#include "support/strings.h"

namespace tenfold::config {
namespace {

constexpr uint64_t kMaxConfigBytes = 256 << 10;  // a value of two bytes takes hundreds when parsed
constexpr int kMaxJsonDepth = 64;
constexpr int64_t kMostJsonValues = 50'000;
constexpr std::string_view kOverrideMark = "--set ";

toml::table parse_toml(std::string_view text, const std::string& name) {
  require(text.size() <= kMaxConfigBytes, ErrorKind::config, "config",
          "{} has {} bytes, more than the {} allowed here", name, text.size(), kMaxConfigBytes);
  const TomlFault fault = toml_fault(text);
  require(fault.rule.empty(), ErrorKind::config, "config", "{}:{}:{}: {}", name, fault.line,
          fault.column, fault.rule);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    fail(ErrorKind::config, "config", "{}:{}:{}: {}", name, at.line, at.column,
         error.description());
  }
}

/// Copies JSON into tables, up to a depth and a number of values: each takes far more room there.
class JsonCopy {
 public:
  explicit JsonCopy(const std::string& name) : name_(name) {}

  toml::table table(const nlohmann::json& object, int depth) {
    require(depth <= kMaxJsonDepth, ErrorKind::config, "config", "{}: nested deeper than {}", name_,
            kMaxJsonDepth);
    toml::table table;
    for (const auto& [key, value] : object.items()) add(table, key, value, depth);
    return table;
  }

 private:
  void add(toml::table& table, const std::string& key, const nlohmann::json& value, int depth) {
    require(++count_ <= kMostJsonValues, ErrorKind::config, "config", "{}: more than {} values",
            name_, kMostJsonValues);
    if (value.is_object()) {
      table.insert(key, this->table(value, depth + 1));
    } else if (value.is_array()) {
      table.insert(key, list(value, depth + 1));
    } else if (value.is_string()) {
      table.insert(key, value.get<std::string>());
    } else if (value.is_boolean()) {
      table.insert(key, value.get<bool>());
    } else if (fits_int64(value)) {
      table.insert(key, value.get<int64_t>());
    } else if (value.is_number()) {
      table.insert(key, value.get<double>());
    }
  }

  static bool fits_int64(const nlohmann::json& value) {
    return value.is_number_integer() &&
           !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
  }

  toml::array list(const nlohmann::json& values, int depth) {
    require(depth <= kMaxJsonDepth, ErrorKind::config, "config", "{}: nested deeper than {}", name_,
            kMaxJsonDepth);
    toml::array list;
    for (const auto& value : values) {
      toml::table holder;
      add(holder, "item", value, depth);
      if (toml::node* node = holder.get("item")) list.push_back(std::move(*node));
    }
    return list;
  }

  const std::string& name_;
  int64_t count_ = 0;
};

// The value of an override: TOML, or else a bare word.
toml::table parse_override(std::string_view value, const std::string& source) {
  const std::string line = fmt::format("value = {}", value);
  const bool looks_structured =
      !value.empty() && std::string_view("[{\"'").find(value[0]) != std::string_view::npos;
  const TomlFault fault = toml_fault(line);
  require(fault.rule.empty() || !looks_structured, ErrorKind::config, "config",
          "{}: the value is not TOML: {}", source, fault.rule);
  if (fault.rule.empty()) {
    try {
      toml::table parsed = toml::parse(line, source);
      if (parsed.size() == 1) return parsed;
    } catch (const toml::parse_error& error) {
      require(!looks_structured, ErrorKind::config, "config", "{}: the value is not TOML: {}",
              source, error.description());
    }
  }
  try {
    return toml::parse("value = " + quoted_toml(value), source);
  } catch (const toml::parse_error& error) {
    fail(ErrorKind::config, "config", "{}: the value is no text: {}", source, error.description());
  }
}

size_t index_in(const toml::array& array, std::string_view key, const std::string& source) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool numeric = error == std::errc{} && end == key.data() + key.size();
  require(numeric && index < array.size(), ErrorKind::config, "config",
          "{}: '{}' must be an index below {}, the length of the list", source, key, array.size());
  return index;
}

// The table that holds the last key of the path; tables that are missing are made.
toml::node& find_parent(toml::table& root, const std::vector<std::string_view>& keys,
                        const std::string& source) {
  toml::node* at = &root;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    if (toml::array* array = at->as_array()) {
      at = array->get(index_in(*array, keys[i], source));
      continue;
    }
    toml::table* table = at->as_table();
    toml::node* next = table == nullptr ? nullptr : table->get(keys[i]);
    if (table != nullptr && (next == nullptr || !(next->is_table() || next->is_array()))) {
      // A plain value gives way: `attention = "softmax"` followed by --set
      // attention.kind=performer.
      table->insert_or_assign(keys[i], toml::table{});
      next = table->get(keys[i]);
    }
    require(next != nullptr, ErrorKind::config, "config", "{}: '{}' is no table", source, keys[i]);
    at = next;
  }
  return *at;
}

}  // namespace

std::string place_of(const toml::node& node, const std::string& document_name) {
  const toml::source_region& source = node.source();
  const std::string& file = source.path ? *source.path : document_name;
  if (file.starts_with(kOverrideMark) || source.begin.line == 0) return file;
  return fmt::format("{}:{}", file, source.begin.line);
}

Document::Document() : state_(std::make_unique<State>()) { state_->name = "defaults"; }
Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Document Document::parse(std::string_view text, std::string name) {
  auto state = std::make_unique<State>();
  state->root = parse_toml(text, name);
  state->name = std::move(name);
  return Document(std::move(state));
}

Document Document::load(const std::filesystem::path& path) {
  return parse(read_file(path, kMaxConfigBytes, ErrorKind::config), path.string());
}

Document Document::from_json(const nlohmann::json& object, std::string name) {
  require(object.is_object(), ErrorKind::config, "config", "{}: expected a JSON object, got {}",
          name, object.type_name());
  auto state = std::make_unique<State>();
  state->root = JsonCopy(name).table(object, 1);
  state->name = std::move(name);
  return Document(std::move(state));
}

void Document::set(std::string_view assignment) {
  const std::string source = fmt::format("{}{}", kOverrideMark, assignment);
  const size_t equals = assignment.find('=');
  require(equals != std::string_view::npos, ErrorKind::config, "config",
          "{}: expected path.to.key=value", source);
  const std::string path(trim(assignment.substr(0, equals)));
  const auto keys = split(path, '.');
  for (const auto key : keys) {
    require(!key.empty(), ErrorKind::config, "config", "{}: a key of the path is empty", source);
  }
  toml::table parsed = parse_override(trim(assignment.substr(equals + 1)), source);
  toml::node& value = *parsed.get("value");
  toml::node& parent = find_parent(state_->root, keys, source);
  if (toml::array* array = parent.as_array()) {
    const size_t index = index_in(*array, keys.back(), source);
    array->replace(array->cbegin() + static_cast<std::ptrdiff_t>(index), std::move(value));
  } else if (toml::table* table = parent.as_table()) {
    table->insert_or_assign(keys.back(), std::move(value));
  } else {
    fail(ErrorKind::config, "config", "{}: '{}' is inside a plain value", source, keys.back());
  }
  state_->overridden.insert(path);
}

void Document::set(const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) set(assignment);
}

}  // namespace tenfold::config

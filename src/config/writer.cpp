// The visitors that write options: as TOML tables, as JSON and as a flat list.
// Not here: values (value_text.cpp).
#include "config/writer.h"

#include <nlohmann/json.hpp>

#include "config/value_text.h"

namespace tenfold::config {

/// Found by nlohmann's library through the type's namespace. TOML's plain values are JSON but for
/// those that are not finite.
void to_json(nlohmann::json& json, const PlainValue& value) {
  json = nlohmann::json::parse(value.toml, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) json = value.toml;
}

namespace {

// Plain values of a table come before its sub-tables, whatever the order of the fields: TOML asks
// for it.
class TomlWriter final : public FieldVisitor {
 public:
  explicit TomlWriter(Comments comments) : comments_(comments) {}

  std::string text() const { return values_ + tables_; }

 protected:
  void visit(const Field& field, FieldValue value) override {
    if (field.present != nullptr && !*field.present) return;
    put(field.name, value_text(value), field.help);
  }

  void visit_group(std::string_view name, std::string_view help, const FieldSet& set) override {
    const std::string path = join_path(path_, name);
    table(fmt::format("[{}]", path), path, help, set);
  }

  void visit_groups(std::string_view name, std::string_view help, const GroupList& list) override {
    const std::string path = join_path(path_, name);
    if (list.size() == 0) put(name, "[]", help);
    for (size_t i = 0; i < list.size(); ++i) {
      table(fmt::format("[[{}]]", path), path, i == 0 ? help : "", list.item(i));
    }
  }

  void visit_choice(std::string_view name, std::string_view help, Choice& value,
                    const ChoiceTable&) override {
    if (value.kind.empty()) return;
    const auto options = value.options == nullptr ? nullptr : value.options->clone();
    const auto list = [&](FieldVisitor& v) {
      v.field("kind", value.kind, "");
      if (options != nullptr)
        v.group(value.kind, "", [&](FieldVisitor& w) { options->fields().visit(w); });
    };
    visit_group(name, help, {list, nullptr});
  }

 private:
  void put(std::string_view name, const std::string& value, std::string_view help) {
    values_ += fmt::format("{} = {}", name, value);
    if (comments_ == Comments::help && !help.empty()) values_ += fmt::format("  # {}", help);
    values_ += '\n';
  }

  void table(const std::string& header, const std::string& path, std::string_view help,
             const FieldSet& set) {
    TomlWriter inner(comments_);
    inner.path_ = path;
    set.visit(inner);
    if (inner.text().empty() && header[1] != '[') return;
    tables_ += '\n' + header;
    if (comments_ == Comments::help && !help.empty()) tables_ += fmt::format("  # {}", help);
    tables_ += '\n' + inner.text();
  }

  Comments comments_;
  std::string path_;
  std::string values_;
  std::string tables_;
};

class JsonWriter final : public FieldVisitor {
 public:
  nlohmann::json result = nlohmann::json::object();

 protected:
  void visit(const Field& field, FieldValue value) override {
    if (field.present != nullptr && !*field.present) return;
    std::visit([&](const auto* held) { result[std::string(field.name)] = *held; }, value);
  }

  void visit_group(std::string_view name, std::string_view, const FieldSet& set) override {
    result[std::string(name)] = inner(set);
  }

  void visit_groups(std::string_view name, std::string_view, const GroupList& list) override {
    auto items = nlohmann::json::array();
    for (size_t i = 0; i < list.size(); ++i) items.push_back(inner(list.item(i)));
    result[std::string(name)] = std::move(items);
  }

  void visit_choice(std::string_view name, std::string_view, Choice& value,
                    const ChoiceTable&) override {
    if (value.kind.empty()) return;
    nlohmann::json choice = {{"kind", value.kind}};
    if (value.options != nullptr) {
      const auto options = value.options->clone();
      nlohmann::json fields = inner(options->fields());
      if (!fields.empty()) choice[value.kind] = std::move(fields);
    }
    result[std::string(name)] = std::move(choice);
  }

 private:
  static nlohmann::json inner(const FieldSet& set) {
    JsonWriter writer;
    set.visit(writer);
    return std::move(writer.result);
  }
};

class Flattener final : public FieldVisitor {
 public:
  std::vector<FlatField> fields;

 protected:
  void visit(const Field& field, FieldValue value) override {
    const bool absent = field.present != nullptr && !*field.present;
    fields.push_back({join_path(path_, field.name), absent ? "" : value_text(value)});
  }

  void visit_group(std::string_view name, std::string_view, const FieldSet& set) override {
    inside(name, set);
  }

  void visit_groups(std::string_view name, std::string_view, const GroupList& list) override {
    for (size_t i = 0; i < list.size(); ++i) inside(fmt::format("{}.{}", name, i), list.item(i));
  }

  void visit_choice(std::string_view name, std::string_view, Choice& value,
                    const ChoiceTable&) override {
    const std::string kind_path = join_path(join_path(path_, name), "kind");
    fields.push_back({kind_path, value.kind.empty() ? "" : quoted_toml(value.kind)});
    if (value.options == nullptr) return;
    const auto options = value.options->clone();
    inside(fmt::format("{}.{}", name, value.kind), options->fields());
  }

 private:
  void inside(std::string_view name, const FieldSet& set) {
    const std::string outer = std::exchange(path_, join_path(path_, name));
    set.visit(*this);
    path_ = outer;
  }

  std::string path_;
};

}  // namespace

std::string write_toml(const FieldSet& set, Comments comments) {
  TomlWriter writer(comments);
  set.visit(writer);
  std::string text = writer.text();
  if (text.starts_with('\n')) text.erase(0, 1);
  return text;
}

nlohmann::json write_json(const FieldSet& set) {
  JsonWriter writer;
  set.visit(writer);
  return std::move(writer.result);
}

std::vector<FlatField> flatten(const FieldSet& set) {
  Flattener flattener;
  set.visit(flattener);
  return std::move(flattener.fields);
}

std::vector<Difference> difference(const std::vector<FlatField>& before,
                                   const std::vector<FlatField>& after) {
  std::map<std::string_view, std::string_view> old_values, new_values;
  for (const FlatField& field : before) old_values[field.path] = field.value;
  for (const FlatField& field : after) new_values[field.path] = field.value;
  std::vector<Difference> differences;
  for (const FlatField& field : before) {
    const auto found = new_values.find(field.path);
    const std::string_view now = found == new_values.end() ? std::string_view() : found->second;
    if (now != field.value) differences.push_back({field.path, field.value, std::string(now)});
  }
  for (const FlatField& field : after) {
    if (!old_values.contains(field.path) && !field.value.empty())
      differences.push_back({field.path, "", field.value});
  }
  return differences;
}

}  // namespace tenfold::config

// The visitor that lists what may be set, and the three forms the list is shown in.
// Not here: reading or writing values.
#include "config/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/value_text.h"
#include "support/strings.h"

namespace tenfold::config {
namespace {

class Describer final : public FieldVisitor {
 public:
  explicit Describer(const ChoiceTables& tables) : FieldVisitor(&tables) {}

  std::vector<SchemaRow> rows;

 protected:
  void visit(const Field& field, FieldValue value) override {
    const bool absent = field.present != nullptr && !*field.present;
    SchemaRow row{SchemaRow::What::field,
                  join_path(path_, field.name),
                  std::string(type_name(value)),
                  absent ? "" : value_text(value),
                  field.range.text(),
                  std::string(field.help)};
    if (!field.allowed.empty()) row.legal = "one of " + join(field.allowed, ", ");
    rows.push_back(std::move(row));
  }

  void visit_group(std::string_view name, std::string_view help, const FieldSet& set) override {
    const std::string path = join_path(path_, name);
    rows.push_back({SchemaRow::What::group, path, "", "", "", std::string(help)});
    inside(path, set);
  }

  void visit_groups(std::string_view name, std::string_view help, const GroupList& list) override {
    const std::string path = join_path(path_, name) + "[]";
    rows.push_back({SchemaRow::What::list, path, "", "", "", std::string(help)});
    list.resize(1);
    inside(path, list.item(0));
  }

  void visit_choice(std::string_view name, std::string_view help, Choice& value,
                    const ChoiceTable& table) override {
    const std::string path = join_path(path_, name);
    std::vector<std::string> names;
    for (const ChoiceKind& kind : table) names.push_back(kind.name);
    rows.push_back({SchemaRow::What::choice, path + ".kind", "text",
                    value.kind.empty() ? "" : quoted_toml(value.kind),
                    names.empty() ? "" : "one of " + join(names, ", "), std::string(help)});
    // A kind may hold the same choice again (a generator inside an objective): described once.
    if (std::find(open_.begin(), open_.end(), &table) != open_.end()) return;
    open_.push_back(&table);
    for (const ChoiceKind& kind : table) {
      rows.push_back({SchemaRow::What::kind, join_path(path, kind.name), "", "", "", kind.help});
      inside(join_path(path, kind.name), kind.make()->fields());
    }
    open_.pop_back();
  }

 private:
  void inside(const std::string& path, const FieldSet& set) {
    const std::string outer = std::exchange(path_, path);
    set.visit(*this);
    path_ = outer;
  }

  std::string path_;
  std::vector<const ChoiceTable*> open_;
};

bool can_be_set(const SchemaRow& row) {
  return row.what == SchemaRow::What::field || row.what == SchemaRow::What::choice;
}

std::string table_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

}  // namespace

std::vector<SchemaRow> describe(const FieldSet& set, const ChoiceTables& tables) {
  Describer describer(tables);
  set.visit(describer);
  return std::move(describer.rows);
}

std::string help_text(const std::vector<SchemaRow>& rows) {
  constexpr size_t kWidestPath = 44;
  size_t width = 0;
  for (const SchemaRow& row : rows) {
    if (can_be_set(row)) width = std::max(width, std::min(row.path.size(), kWidestPath));
  }
  std::string text;
  for (const SchemaRow& row : rows) {
    if (!can_be_set(row)) {
      const std::string help = row.help.empty() ? "" : ": " + row.help;
      text += fmt::format("\n{}{}\n", row.path, help);
      continue;
    }
    text += fmt::format("  {:<{}}  {}", row.path, width, row.help);
    text += fmt::format(" ({}", row.legal.empty() ? row.type : row.legal);
    text += row.default_value.empty() ? ")\n" : fmt::format("; default {})\n", row.default_value);
  }
  return text;
}

std::string markdown(const std::vector<SchemaRow>& rows) {
  std::string text = "| name | type | default | range | help |\n|---|---|---|---|---|\n";
  for (const SchemaRow& row : rows) {
    const std::string value =
        row.default_value.empty() ? "" : "`" + table_cell(row.default_value) + "`";
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.path, row.type, value,
                        table_cell(row.legal), table_cell(row.help));
  }
  return text;
}

nlohmann::json schema_json(const std::vector<SchemaRow>& rows) {
  constexpr const char* kWhat[] = {"field", "group", "list", "choice", "kind"};
  auto list = nlohmann::json::array();
  for (const SchemaRow& row : rows) {
    list.push_back({{"what", kWhat[static_cast<size_t>(row.what)]},
                    {"path", row.path},
                    {"type", row.type},
                    {"default", row.default_value},
                    {"legal", row.legal},
                    {"help", row.help}});
  }
  return list;
}

}  // namespace tenfold::config

// The visitor that fills options from a Document's tree and names every mistake with its place.
// Not here: parsing and overrides (document.cpp).
#include "config/reader.h"

#include <algorithm>
#include <cmath>

#include "config/document.h"
#include "config/value_text.h"
#include "support/strings.h"

namespace tenfold::config {
namespace {

std::string_view found_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "a boolean";
    default: return "a date or time";
  }
}

class Reader final : public FieldVisitor {
 public:
  Reader(const toml::table& root, const std::set<std::string>& overridden, const std::string& name,
         const ChoiceTables& tables)
      : FieldVisitor(&tables), overridden_(overridden), name_(name), level_{&root, "", {}} {}

  // Reads one table: its fields, then what nobody asked for, then its own rules.
  void read(const FieldSet& set) {
    set.visit(*this);
    refuse_unknown();
    if (set.validate) validate(set);
  }

 protected:
  void visit(const Field& field, FieldValue value) override {
    const toml::node* node = find(field.name);
    if (node == nullptr) return;
    if (field.present != nullptr) *field.present = true;
    std::visit([&](auto* held) { take(field, *node, *held); }, value);
  }

  void visit_group(std::string_view name, std::string_view, const FieldSet& set) override {
    read_below(find_table(name), name, set);
  }

  void visit_groups(std::string_view name, std::string_view, const GroupList& list) override {
    const toml::node* node = find(name);
    if (node == nullptr) {
      // The defaults still get their rules checked and their choices filled.
      for (size_t i = 0; i < list.size(); ++i) {
        read_below(nullptr, fmt::format("{}.{}", name, i), list.item(i));
      }
      return;
    }
    const toml::array* array = node->as_array();
    if (array == nullptr)
      mistake(*node, name, "must be a list of tables, got {}", found_type(*node));
    list.resize(array->size());
    for (size_t i = 0; i < array->size(); ++i) {
      const toml::node& item = *array->get(i);
      if (!item.is_table())
        mistake(item, name, "must be a list of tables, got {} in it", found_type(item));
      read_below(item.as_table(), fmt::format("{}.{}", name, i), list.item(i));
    }
  }

  void visit_choice(std::string_view name, std::string_view, Choice& value,
                    const ChoiceTable& table) override {
    const toml::node* node = find(name);
    const toml::table* own = node == nullptr ? nullptr : node->as_table();
    const toml::node* kind_node = own == nullptr ? node : own->get("kind");
    const std::string path = join_path(level_.path, name);
    const std::string before = value.kind;
    if (kind_node != nullptr)
      value.kind = kind_text(*kind_node, own == nullptr ? std::string(name) : path + ".kind");
    if (value.kind.empty()) {
      if (own != nullptr) mistake(*own, name, "needs a kind: {}", legal_kinds(table));
      return;
    }
    if (kind_node == nullptr && table.empty())
      return;  // a read without this slot's kinds keeps what is there
    const ChoiceKind* legal = find_kind(table, value.kind);
    if (legal == nullptr)
      refuse_kind(kind_node == nullptr ? node : kind_node, name, value.kind, table);
    std::unique_ptr<OptionSet> options =
        value.options != nullptr && value.kind == before ? value.options->clone() : legal->make();
    read_kind(own, path, value.kind, table, *options);
    value.options = std::move(options);
  }

 private:
  // The table being read, its dotted path, and the keys asked for so far.
  struct Level {
    const toml::table* table;  // null: nothing is given
    std::string path;
    std::vector<std::string> known;
  };

  const toml::node* find(std::string_view key) {
    level_.known.emplace_back(key);
    return level_.table == nullptr ? nullptr : level_.table->get(key);
  }

  const toml::table* find_table(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) return nullptr;
    if (!node->is_table()) mistake(*node, key, "must be a table, got {}", found_type(*node));
    return node->as_table();
  }

  void read_below(const toml::table* table, std::string_view name, const FieldSet& set) {
    Level below{table, join_path(level_.path, name), {}};
    std::swap(level_, below);
    read(set);
    std::swap(level_, below);
  }

  // The sub-table of the chosen kind; those of other kinds are mistakes, unless an override changed
  // the kind.
  void read_kind(const toml::table* own, const std::string& path, const std::string& kind,
                 const ChoiceTable& table, OptionSet& options) {
    Level at{own, path, {"kind"}};
    std::swap(level_, at);
    const bool switched = overridden_.contains(path + ".kind");
    for (const ChoiceKind& other : table) {
      if (other.name == kind || own == nullptr || !own->contains(other.name)) continue;
      if (!switched) {
        mistake(*own->get(other.name), other.name,
                "holds options of a kind that is not chosen (kind is '{}')", kind);
      }
      level_.known.push_back(other.name);
    }
    read_below(find_table(kind), kind, options.fields());
    refuse_unknown();
    std::swap(level_, at);
  }

  void refuse_unknown() const {
    if (level_.table == nullptr) return;
    for (const auto& [key, node] : *level_.table) {
      const std::string_view text = key.str();
      if (std::find(level_.known.begin(), level_.known.end(), text) != level_.known.end()) continue;
      fail(ErrorKind::config, where(), "unknown key '{}'{} ({})", text,
           did_you_mean(text, level_.known), place_of(node, name_));
    }
  }

  void validate(const FieldSet& set) const {
    const std::string place = where();
    try {
      set.validate(place);
    } catch (const Error& error) {
      const std::string prefix = fmt::format("[{}] ", place);
      std::string_view message = error.what();
      if (level_.table == nullptr || !message.starts_with(prefix)) throw;
      message.remove_prefix(prefix.size());
      fail(error.kind(), place, "{} ({})", message, place_of(*level_.table, name_));
    }
  }

  std::string kind_text(const toml::node& node, const std::string& key) const {
    const auto text = node.value<std::string>();
    if (!text) mistake(node, key, "must be the name of a kind, got {}", found_type(node));
    return *text;
  }

  static const ChoiceKind* find_kind(const ChoiceTable& table, const std::string& kind) {
    for (const ChoiceKind& legal : table) {
      if (legal.name == kind) return &legal;
    }
    return nullptr;
  }

  static std::vector<std::string> kind_names(const ChoiceTable& table) {
    std::vector<std::string> names;
    for (const ChoiceKind& kind : table) names.push_back(kind.name);
    return names;
  }

  static std::string legal_kinds(const ChoiceTable& table) {
    return "one of " + join(kind_names(table), ", ");
  }

  [[noreturn]] void refuse_kind(const toml::node* node, std::string_view name,
                                const std::string& kind, const ChoiceTable& table) const {
    const std::string near = did_you_mean(kind, kind_names(table));
    if (node == nullptr) {
      fail(ErrorKind::config, where(), "{} must be {}, got '{}' by default", name,
           legal_kinds(table), kind);
    }
    mistake(*node, name, "must be {}, got '{}'{}", legal_kinds(table), kind, near);
  }

  void take(const Field& field, const toml::node& node, bool& value) const {
    if (!node.is_boolean()) wrong_type(field, node, "true or false");
    value = node.as_boolean()->get();
  }

  void take(const Field& field, const toml::node& node, int64_t& value) const {
    if (const auto* integer = node.as_integer()) {
      value = integer->get();
    } else {
      // 1e5 is a float to TOML and a count to people.
      const auto* number = node.as_floating_point();
      const double given = number == nullptr ? 0.5 : number->get();
      const bool whole = std::abs(given) < 9e15 && std::trunc(given) == given;
      if (number != nullptr && !whole)
        mistake(node, field.name, "must be an integer, got {}", given);
      if (number == nullptr) wrong_type(field, node, "an integer");
      value = static_cast<int64_t>(given);
    }
    if (!field.range.holds(static_cast<double>(value)))
      out_of_range(field, node, value_text(&value));
  }

  void take(const Field& field, const toml::node& node, double& value) const {
    if (const auto* integer = node.as_integer()) {
      value = static_cast<double>(integer->get());
    } else if (const auto* number = node.as_floating_point()) {
      value = number->get();
    } else {
      wrong_type(field, node, "a number");
    }
    if (!field.range.holds(value)) out_of_range(field, node, fmt::format("{}", value));
  }

  void take(const Field& field, const toml::node& node, std::string& value) const {
    if (!node.is_string()) wrong_type(field, node, "a text");
    value = node.as_string()->get();
    if (field.allowed.empty()) return;
    if (std::find(field.allowed.begin(), field.allowed.end(), value) != field.allowed.end()) return;
    mistake(node, field.name, "must be one of {}, got '{}'{}", join(field.allowed, ", "), value,
            did_you_mean(value, field.allowed));
  }

  void take(const Field& field, const toml::node& node, PlainValue& value) const {
    if (const auto* text = node.as_string()) {
      value.toml = quoted_toml(text->get());
    } else if (auto whole = node.value_exact<int64_t>()) {
      value.toml = value_text(&*whole);
    } else if (auto number = node.value_exact<double>()) {
      value.toml = value_text(&*number);
    } else if (auto truth = node.value_exact<bool>()) {
      value.toml = value_text(&*truth);
    } else {
      wrong_type(field, node, "a number, a text, true or false");
    }
  }

  template <typename T>
  void take(const Field& field, const toml::node& node, std::vector<T>& values) const {
    const toml::array* array = node.as_array();
    if (array == nullptr) wrong_type(field, node, "a list");
    values.clear();
    for (const toml::node& item : *array) {
      T value{};
      take(field, item, value);
      values.push_back(std::move(value));
    }
  }

  [[noreturn]] void wrong_type(const Field& field, const toml::node& node,
                               std::string_view expected) const {
    mistake(node, field.name, "must be {}, got {}", expected, found_type(node));
  }

  [[noreturn]] void out_of_range(const Field& field, const toml::node& node,
                                 const std::string& got) const {
    const std::string legal = field.range.text();
    mistake(node, field.name, "must be {}, got {}", legal.empty() ? "a number" : legal, got);
  }

  template <typename... Args>
  [[noreturn]] void mistake(const toml::node& node, std::string_view name,
                            fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::config, where(), "{} {} ({})", name,
         fmt::format(format, std::forward<Args>(args)...), place_of(node, name_));
  }

  std::string where() const { return level_.path.empty() ? "config" : level_.path; }

  const std::set<std::string>& overridden_;
  const std::string& name_;
  Level level_;
};

}  // namespace

void Document::read(const FieldSet& set, const ChoiceTables& tables) const {
  Reader(state_->root, state_->overridden, state_->name, tables).read(set);
}

}  // namespace tenfold::config

// How an options struct describes itself: it lists its fields once, and every use goes through that
// list. Not here: TOML (reader.h, writer.h) and help texts (schema.h), which are visitors of the
// list.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "config/range.h"
#include "support/fail.h"

namespace tenfold::config {

class FieldVisitor;

/// A struct that can be configured: `void fields(FieldVisitor& v)` lists its members.
template <typename T>
concept HasFields = requires(T& options, FieldVisitor& v) {
  options.fields(v);
};

/// A struct with rules between its fields: `void validate(const std::string& where) const` throws
/// Error{config, where, ...}. It runs after every read.
template <typename T>
concept HasValidate = requires(const T& options, const std::string& where) {
  options.validate(where);
};

/// One options struct, seen only through its list. It refers to the struct and must not outlive it.
struct FieldSet {
  std::function<void(FieldVisitor&)> visit;
  std::function<void(const std::string& where)> validate;  ///< empty where the struct has no rules
};

template <HasFields T>
FieldSet field_set(T& options) {
  FieldSet set{[&options](FieldVisitor& v) { options.fields(v); }, nullptr};
  if constexpr (HasValidate<T>) {
    set.validate = [&options](const std::string& where) { options.validate(where); };
  }
  return set;
}

/// The options of one kind of a choice, with their type hidden.
class OptionSet {
 public:
  virtual ~OptionSet() = default;
  virtual FieldSet fields() = 0;
  virtual std::unique_ptr<OptionSet> clone() const = 0;
};

/// The OptionSet of a plain options struct.
template <HasFields T>
class OptionsOf final : public OptionSet {
 public:
  explicit OptionsOf(T options) : value(std::move(options)) {}
  FieldSet fields() override { return field_set(value); }
  std::unique_ptr<OptionSet> clone() const override { return std::make_unique<OptionsOf>(value); }

  T value;
};

/// For kinds that have nothing to set.
struct NoOptions {
  void fields(FieldVisitor&) {}
};

/// One of several named kinds and its options: in TOML `kind = "performer"` and a sub-table
/// `performer`. The options are shared and immutable, so copies are cheap and independent. An empty
/// kind means "not chosen". After a read the options of a chosen kind are always present.
struct Choice {
  std::string kind;
  std::shared_ptr<const OptionSet> options;

  template <HasFields T>
  static Choice of(std::string kind, T options) {
    return {std::move(kind), std::make_shared<const OptionsOf<T>>(std::move(options))};
  }

  /// The options as the type their kind was registered with; any other type is an internal error.
  template <HasFields T>
  const T& as() const {
    const auto* typed = dynamic_cast<const OptionsOf<T>*>(options.get());
    if (typed == nullptr)
      fail(ErrorKind::internal, "config", "options of kind '{}' asked for as another type", kind);
    return typed->value;
  }
};

/// A kind that may be chosen.
struct ChoiceKind {
  std::string name;
  std::string help;
  std::function<std::unique_ptr<OptionSet>()> make;  ///< its default options

  template <HasFields T>
  static ChoiceKind of(std::string name, std::string help, T defaults = {}) {
    return {std::move(name), std::move(help),
            [defaults = std::move(defaults)] { return std::make_unique<OptionsOf<T>>(defaults); }};
  }
};

/// The legal kinds of one slot, in the order they are shown.
using ChoiceTable = std::vector<ChoiceKind>;

/// The legal kinds by slot name ("attention", "objective", ...). The registry gives them to every
/// read.
using ChoiceTables = std::map<std::string, ChoiceTable, std::less<>>;

/// What is known of a field besides its value.
struct Field {
  std::string_view name;
  std::string_view help;
  Range range = {};                       ///< of a number, or of each number of a list
  std::vector<std::string> allowed = {};  ///< legal texts; empty: any
  bool* present = nullptr;  ///< of a field that may be left out: whether it has a value
};

/// A number, text or boolean for a field that is only known later: the value as TOML.
struct PlainValue {
  std::string toml;
  bool operator==(const PlainValue&) const = default;
};

/// Points at the value of a field.
using FieldValue =
    std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*,
                 std::vector<double>*, std::vector<std::string>*, std::vector<PlainValue>*>;

/// A `[[list]]` of structs, with their type hidden.
struct GroupList {
  std::function<size_t()> size;
  std::function<void(size_t)> resize;  ///< new items have their defaults
  std::function<FieldSet(size_t)> item;
};

/// Names of an enum's values, in the order they are shown.
template <typename Enum>
using EnumNames = std::initializer_list<std::pair<std::string_view, Enum>>;

/// Visits the fields of options structs. `fields()` of a struct calls `field`, `group`, `groups`
/// and `choice` once for each member, always in the same order and for the same names:
///
///   void fields(FieldVisitor& v) {
///     v.field("features", features, "random features per head", at_least(1));
///     v.field("norm", norm, "where the norm stands", {{"pre", Norm::pre}, {"post", Norm::post}});
///     v.group("optimizer", optimizer, "how weights move");
///     v.groups("layers", layers, "runs of equal layers");
///     v.choice("attention", attention, "attention of every layer", v.kinds("attention"));
///   }
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  void field(std::string_view name, bool& value, std::string_view help);
  void field(std::string_view name, int64_t& value, std::string_view help, Range range = {});
  void field(std::string_view name, double& value, std::string_view help, Range range = {});
  void field(std::string_view name, std::string& value, std::string_view help,
             std::vector<std::string> allowed = {});
  void field(std::string_view name, std::filesystem::path& value, std::string_view help);
  void field(std::string_view name, std::vector<int64_t>& value, std::string_view help,
             Range range = {});
  void field(std::string_view name, std::vector<double>& value, std::string_view help,
             Range range = {});
  void field(std::string_view name, std::vector<std::string>& value, std::string_view help,
             std::vector<std::string> allowed = {});
  void field(std::string_view name, std::vector<PlainValue>& value, std::string_view help);

  template <typename Enum>
  requires std::is_enum_v<Enum>
  void field(std::string_view name, Enum& value, std::string_view help, EnumNames<Enum> names) {
    Field about{.name = name, .help = help};
    visit_enum(about, value, names);
  }

  /// A field that may be left out; absent in TOML it stays empty.
  template <typename T>
  requires std::is_same_v<T, bool> || std::is_same_v<T, int64_t> || std::is_same_v<T, double> ||
      std::is_same_v<T, std::string>
  void field(std::string_view name, std::optional<T>& value, std::string_view help,
             Range range = {}) {
    bool present = value.has_value();
    T held = present ? *value : T{};
    visit({.name = name, .help = help, .range = range, .allowed = {}, .present = &present}, &held);
    value = present ? std::optional<T>(std::move(held)) : std::nullopt;
  }

  template <typename Enum>
  requires std::is_enum_v<Enum>
  void field(std::string_view name, std::optional<Enum>& value, std::string_view help,
             EnumNames<Enum> names) {
    bool present = value.has_value();
    Enum held = present ? *value : names.begin()->second;
    Field about{.name = name, .help = help, .range = {}, .allowed = {}, .present = &present};
    visit_enum(about, held, names);
    value = present ? std::optional<Enum>(held) : std::nullopt;
  }

  /// A nested table.
  template <HasFields T>
  void group(std::string_view name, T& options, std::string_view help) {
    visit_group(name, help, field_set(options));
  }

  /// A nested table whose fields belong to the same struct: `list` calls `v.field(...)` for them.
  template <std::invocable<FieldVisitor&> List>
  void group(std::string_view name, std::string_view help, List list) {
    visit_group(name, help, {std::move(list), nullptr});
  }

  /// A list of tables, `[[name]]`. Reading replaces the whole list where the key is present.
  template <HasFields T>
  void groups(std::string_view name, std::vector<T>& items, std::string_view help) {
    visit_groups(
        name, help,
        {[&items] { return items.size(); }, [&items](size_t count) { items.assign(count, T{}); },
         [&items](size_t i) { return field_set(items.at(i)); }});
  }

  /// One of several kinds. TOML: `name.kind = "k"` with sub-table `name.k`, or `name = "k"` for its
  /// defaults.
  void choice(std::string_view name, Choice& value, std::string_view help,
              const ChoiceTable& table) {
    visit_choice(name, help, value, table);
  }

  /// The legal kinds of a slot as given to this visit; empty for visits that need none (writing,
  /// comparing).
  const ChoiceTable& kinds(std::string_view slot) const;

 protected:
  explicit FieldVisitor(const ChoiceTables* tables = nullptr) : tables_(tables) {}

  virtual void visit(const Field& field, FieldValue value) = 0;
  virtual void visit_group(std::string_view name, std::string_view help, const FieldSet& set) = 0;
  virtual void visit_groups(std::string_view name, std::string_view help,
                            const GroupList& list) = 0;
  virtual void visit_choice(std::string_view name, std::string_view help, Choice& value,
                            const ChoiceTable& table) = 0;

 private:
  template <typename Enum>
  void visit_enum(Field& about, Enum& value, EnumNames<Enum> names) {
    std::string text;
    for (const auto& [name, named] : names) {
      about.allowed.emplace_back(name);
      if (named == value && text.empty()) text = name;
    }
    visit(about, &text);
    for (const auto& [name, named] : names) {
      if (name == text) value = named;
    }
  }

  const ChoiceTables* tables_;
};

}  // namespace tenfold::config

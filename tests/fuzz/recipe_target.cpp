// Fuzz target: TOML recipes, and each line of the same bytes as an override.
// Not here: the program's own recipes; this one has a field of every kind.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "config/writer.h"
#include "support/strings.h"
#include "target.h"

namespace tenfold::fuzz {
namespace {

using config::at_least;
using config::between;

enum class Color { red, green };

struct Inner {
  int64_t count = 1;
  double share = 0.5;
  void fields(config::FieldVisitor& v) {
    v.field("count", count, "a count", between(1, 4096));
    v.field("share", share, "a share", config::fraction_below_one());
  }
};

struct Recipe {
  bool flag = false;
  int64_t steps = 10;
  double rate = 1e-3;
  std::string name = "x";
  std::optional<int64_t> maybe;
  std::vector<int64_t> sizes;
  std::vector<std::string> words;
  std::vector<config::PlainValue> values;
  Color color = Color::red;
  Inner inner;
  std::vector<Inner> layers;
  config::Choice attention;

  void fields(config::FieldVisitor& v) {
    v.field("flag", flag, "a switch");
    v.field("steps", steps, "a count", at_least(0));
    v.field("rate", rate, "a number");
    v.field("name", name, "a text");
    v.field("maybe", maybe, "may be absent");
    v.field("sizes", sizes, "numbers", at_least(0));
    v.field("words", words, "texts");
    v.field("values", values, "anything plain");
    v.field("color", color, "one of two", {{"red", Color::red}, {"green", Color::green}});
    v.group("inner", inner, "a table");
    v.groups("layers", layers, "a list of tables");
    v.choice("attention", attention, "a kind", v.kinds("attention"));
  }
};

const config::ChoiceTables& tables() {
  static const config::ChoiceTables kTables = {
      {"attention",
       {config::ChoiceKind::of<config::NoOptions>("softmax", "nothing to set"),
        config::ChoiceKind::of<Inner>("performer", "two options")}}};
  return kTables;
}

void check(const config::Document& document) {
  Recipe recipe;
  document.read(recipe, tables());
  const std::string written = config::write_toml(recipe);
  Recipe again;
  config::Document::parse(written, "copy").read(again, tables());
  promise(config::write_toml(again) == written, "what was accepted reads back the same");
}

}  // namespace

const char* const kFormat = "recipe";

void read(std::string_view bytes) {
  config::Document overridden;
  for (std::string_view line : split(bytes, '\n')) {
    allows({ErrorKind::config}, [&] { overridden.set(line); });
  }
  allows({ErrorKind::config}, [&] { check(overridden); });
  check(config::Document::parse(bytes, "recipe.toml"));
}

}  // namespace tenfold::fuzz

// `tenfold methods`: what a recipe can switch on, from the tables themselves.
// Not here: the tables.
#include "command.h"
#include "config/schema.h"
#include "data/mask_sampler.h"
#include "json_text.h"
#include "model/registry.h"
#include "nn/attention_table.h"
#include "support/fail.h"
#include "support/strings.h"
#include "task_table.h"
#include "train/optimizer.h"
#include "train/options.h"

namespace tenfold::app {
namespace {

struct Entry {
  std::string slot, name, summary, paper;
  std::vector<config::SchemaRow> options;
  nlohmann::ordered_json traits = nlohmann::ordered_json::object();
};

const char* see_name(See see) {
  switch (see) {
    case See::all: return "all";
    case See::past: return "past";
    case See::future: return "future";
    case See::prefix: return "prefix";
    case See::others: return "others";
  }
  return "";
}

nlohmann::ordered_json traits_json(const nn::AttentionTraits& traits) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::array();
  for (const See see : traits.kinds) kinds.push_back(see_name(see));
  return {{"masks", kinds},
          {"incremental", traits.incremental},
          {"position_bias", traits.bias},
          {"carry", traits.carry},
          {"cross", traits.cross},
          {"stochastic", traits.stochastic},
          {"scores", traits.exposes_scores},
          {"fixed_length", traits.fixed_length}};
}

std::vector<config::SchemaRow> option_rows(config::OptionSet& options) {
  return config::describe(options.fields(), {});
}

std::vector<Entry> all_entries() {
  std::vector<Entry> entries;
  for (const auto& kind : nn::attention_table().kinds()) {
    const auto options = kind.options();
    entries.push_back({"attention", kind.name, kind.summary, kind.paper, option_rows(*options),
                       traits_json(kind.traits(*options))});
  }
  for (const auto& kind : data::mask_sampler_table().kinds()) {
    entries.push_back(
        {"mask_sampler", kind.name, kind.summary, "", option_rows(*kind.choice.make()), {}});
  }
  for (const auto& kind : model::objective_table().kinds()) {
    entries.push_back(
        {"objective", kind.name, kind.summary, kind.paper, option_rows(*kind.options.make()), {}});
  }
  for (const TaskKind& kind : task_kinds()) {
    entries.push_back({"task", kind.name, kind.summary, "", option_rows(*kind.options.make()), {}});
  }
  for (const auto& kind : train::optimizer_table().kinds()) {
    entries.push_back(
        {"optimizer", kind.name, kind.summary, kind.paper, option_rows(*kind.options()), {}});
  }
  const config::ChoiceTables training = train::train_choices();
  for (const config::ChoiceKind& kind : training.at("schedule")) {
    entries.push_back({"schedule", kind.name, kind.help, "", option_rows(*kind.make()), {}});
  }
  return entries;
}

nlohmann::ordered_json entry_json(const Entry& entry) {
  nlohmann::ordered_json out{{"slot", entry.slot},
                             {"name", entry.name},
                             {"summary", entry.summary},
                             {"paper", entry.paper},
                             {"options", config::schema_json(entry.options)}};
  if (!entry.traits.empty()) out["traits"] = entry.traits;
  return out;
}

int list_methods(const std::string& name, bool json) {
  const std::vector<Entry> entries = all_entries();
  std::vector<Entry> chosen;
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    names.push_back(entry.name);
    if (name.empty() || entry.name == name) chosen.push_back(entry);
  }
  require(!chosen.empty(), ErrorKind::usage, "methods", "unknown method '{}'{}", name,
          did_you_mean(name, names));
  if (json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const Entry& entry : chosen) out.push_back(entry_json(entry));
    fmt::print("{}\n", json_text(out, 2));
    return 0;
  }
  for (const Entry& entry : chosen) {
    fmt::print("{:<14} {:<16} {}\n", entry.slot, entry.name, entry.summary);
    if (name.empty()) continue;
    if (!entry.paper.empty()) fmt::print("  paper: {}\n", entry.paper);
    for (const auto& [trait, value] : entry.traits.items())
      fmt::print("  {}: {}\n", trait, json_text(value));
    if (!entry.options.empty()) fmt::print("{}", config::help_text(entry.options));
  }
  return 0;
}

}  // namespace

void add_methods(CLI::App& app, Program& program) {
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("methods", "what a recipe can switch on: options, traits, papers");
  command->add_option("NAME", *name, "one of them, in full");
  command->add_flag("--json", *json, "JSON instead of lines");
  command->footer("Example:\n  tenfold methods softmax");
  command->callback([=, &program] { program.action = [=] { return list_methods(*name, *json); }; });
}

}  // namespace tenfold::app

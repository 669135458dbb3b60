// `tenfold methods`: what a recipe can switch on, from the tables themselves.
// Not here: the tables, or what attention kinds can do (attention_facts.h).
#include "attention_facts.h"
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
  nlohmann::ordered_json traits = {};  ///< of attention kinds; else null
  nlohmann::ordered_json combines_with = nlohmann::ordered_json::object();  ///< names by slot
};

std::vector<config::SchemaRow> option_rows(config::OptionSet& options) {
  return config::describe(options.fields(), {});
}

/// Entries of every slot; what takes time to find out only where it is asked for.
std::vector<Entry> all_entries() {
  std::vector<Entry> entries;
  for (const auto& kind : nn::attention_table().kinds())
    entries.push_back(
        {"attention", kind.name, kind.summary, kind.paper, option_rows(*kind.options())});
  for (const auto& kind : data::mask_sampler_table().kinds()) {
    entries.push_back(
        {"mask_sampler", kind.name, kind.summary, "", option_rows(*kind.choice.make())});
  }
  for (const auto& kind : model::objective_table().kinds()) {
    entries.push_back(
        {"objective", kind.name, kind.summary, kind.paper, option_rows(*kind.options.make())});
    entries.back().combines_with["attention"] = attention_kinds_for(kind.masks);
  }
  for (const TaskKind& kind : task_kinds()) {
    entries.push_back({"task", kind.name, kind.summary, "", option_rows(*kind.options.make())});
    entries.back().combines_with["attention"] = attention_kinds_for({See::all});
  }
  for (const auto& kind : train::optimizer_table().kinds()) {
    entries.push_back(
        {"optimizer", kind.name, kind.summary, kind.paper, option_rows(*kind.options())});
  }
  const config::ChoiceTables training = train::train_choices();
  for (const config::ChoiceKind& kind : training.at("schedule")) {
    entries.push_back({"schedule", kind.name, kind.help, "", option_rows(*kind.make())});
  }
  return entries;
}

void add_attention_facts(Entry& entry) {
  if (entry.slot != "attention") return;
  const nn::AttentionKind& kind = nn::attention_table().find(entry.name);
  const auto options = kind.options();
  entry.traits = attention_traits_json(kind, *options);
  entry.combines_with = attention_partners_json(kind.traits(*options));
}

nlohmann::ordered_json entry_json(const Entry& entry) {
  nlohmann::ordered_json out{{"slot", entry.slot},
                             {"name", entry.name},
                             {"summary", entry.summary},
                             {"paper", entry.paper},
                             {"options", config::schema_json(entry.options)}};
  if (!entry.traits.is_null()) out["traits"] = entry.traits;
  if (!entry.combines_with.empty()) out["combines_with"] = entry.combines_with;
  return out;
}

void print_entry(const Entry& entry) {
  const auto line = [](const std::string& name, const std::string& text) {
    fmt::print("  {:<15} {}\n", name + ":", text.empty() ? "none" : text);
  };
  if (!entry.paper.empty()) line("paper", entry.paper);
  if (!entry.traits.is_null()) fmt::print("{}", attention_traits_text(entry.traits));
  for (const auto& [slot, names] : entry.combines_with.items())
    line(slot, join(names.get<std::vector<std::string>>(), ", "));
  if (entry.options.empty()) {
    line("options", "");
  } else {
    fmt::print("  options:\n{}", config::help_text(entry.options));
  }
}

int list_methods(const std::string& name, bool json) {
  std::vector<Entry> chosen;
  std::vector<std::string> names;
  for (Entry& entry : all_entries()) {
    names.push_back(entry.name);
    if (!name.empty() && entry.name != name) continue;
    if (json || !name.empty()) add_attention_facts(entry);
    chosen.push_back(std::move(entry));
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
    if (!name.empty()) print_entry(entry);
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
  command->footer(
      "A NAME is printed with its paper, its options with defaults and ranges, for an attention\n"
      "kind what it can do, and which objectives, tasks and heads it goes together with.\n\n"
      "Example:\n  tenfold methods softmax");
  command->callback([=, &program] { program.action = [=] { return list_methods(*name, *json); }; });
}

}  // namespace tenfold::app

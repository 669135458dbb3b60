// The built-in objectives and look-up by name.
// Not here: what they compute.
#include "model/registry.h"

#include <algorithm>

#include "data/mlm_collator.h"
#include "model/mlm_objective.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::model {
namespace {

ObjectiveKind mlm_kind() {
  const char* summary = "masked language modelling: predict hidden tokens from both sides";
  return {.name = "mlm",
          .summary = summary,
          .paper = "Devlin et al. 2018, BERT",
          .head = Head::mlm,
          .options = config::ChoiceKind::of<data::MlmOptions>("mlm", summary),
          .make_collator =
              [](const Tokenizer& tokenizer, const config::Choice& choice) {
                return std::make_unique<data::MlmCollator>(tokenizer,
                                                           choice.as<data::MlmOptions>());
              },
          .make_objective =
              [](const LoadedModel& model) { return std::make_unique<MlmObjective>(model.mlm); },
          .masks = {See::all}};
}

}  // namespace

void ObjectiveTable::add(ObjectiveKind kind) {
  for (const ObjectiveKind& present : kinds_) {
    require(present.name != kind.name, ErrorKind::internal, "objective", "'{}' is registered twice",
            kind.name);
  }
  kinds_.push_back(std::move(kind));
}

const ObjectiveKind& ObjectiveTable::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const ObjectiveKind& kind : kinds_) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  fail(ErrorKind::config, "objective", "unknown objective '{}': expected one of {}{}", name,
       join(names, ", "), did_you_mean(name, names));
}

config::ChoiceTable ObjectiveTable::choices() const {
  config::ChoiceTable table;
  for (const ObjectiveKind& kind : kinds_) table.push_back(kind.options);
  return table;
}

ObjectiveTable& objective_table() {
  static ObjectiveTable table = [] {
    ObjectiveTable built_in;
    built_in.add(mlm_kind());
    return built_in;
  }();
  return table;
}

}  // namespace tenfold::model

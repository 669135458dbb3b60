// The table of families.
// Not here: anything computed.
#include "model/family.h"

#include <array>
#include <utility>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::model {
namespace {

constexpr std::array<Family, 3> kFamilies = {{
    {.name = "bert",
     .class_prefix = "Bert",
     .encoder_prefix = "bert.",
     .tied_weight = "cls.predictions.decoder.weight",
     .tied_bias = "cls.predictions.decoder.bias",
     .bias = "cls.predictions.bias"},
    {.name = "electra",
     .class_prefix = "Electra",
     .encoder_prefix = "electra.",
     .tied_weight = "generator_lm_head.weight",
     .tied_bias = "",
     .bias = "generator_lm_head.bias"},
    {.name = "roberta",
     .class_prefix = "Roberta",
     .encoder_prefix = "roberta.",
     .tied_weight = "lm_head.decoder.weight",
     .tied_bias = "lm_head.decoder.bias",
     .bias = "lm_head.bias"},
}};

constexpr std::array<std::pair<Head, std::string_view>, 7> kSuffixes = {
    {{Head::none, "Model"},
     {Head::mlm, "ForMaskedLM"},
     {Head::classifier, "ForSequenceClassification"},
     {Head::token_classifier, "ForTokenClassification"},
     {Head::span, "ForQuestionAnswering"},
     {Head::choice, "ForMultipleChoice"},
     {Head::replaced_token, "ForPreTraining"}}};

}  // namespace

std::string Family::architecture(Head head) const {
  require(head != Head::replaced_token || name == "electra", ErrorKind::unsupported, "model",
          "models of family {} have no head that tells replaced tokens: only electra has", name);
  for (const auto& [kind, suffix] : kSuffixes) {
    if (kind == head) return std::string(class_prefix) + std::string(suffix);
  }
  fail(ErrorKind::internal, "model", "no architecture is called 'as stored'");
}

Head Family::head_of(std::string_view architecture) const {
  if (!architecture.starts_with(class_prefix)) return Head::none;
  architecture.remove_prefix(class_prefix.size());
  if (architecture == "ForPreTraining" && name != "electra") return Head::mlm;
  for (const auto& [kind, suffix] : kSuffixes) {
    if (suffix == architecture) return kind;
  }
  return Head::none;
}

bool Family::needs_pooler(Head head) const {
  if (name == "electra") return false;
  return head == Head::choice || (head == Head::classifier && name == "bert");
}

const Family& family_of(std::string_view name, std::string_view where) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return family;
  }
  fail(ErrorKind::unsupported, "model", "{}: model_type '{}' is not supported: expected one of {}",
       where, name, join(family_names(), ", "));
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  return names;
}

}  // namespace tenfold::model

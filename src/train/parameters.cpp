// Collecting parameters from the modules that own them.
// Not here: the modules' own names (model and methods choose them).
#include "train/parameters.h"

#include <unordered_map>
#include <unordered_set>

#include "support/fail.h"

namespace tenfold::train {

std::vector<Parameter> collect_parameters(const std::vector<model::OwnedModule>& modules) {
  std::vector<Parameter> found;
  std::unordered_set<const void*> seen;
  std::unordered_set<std::string> names;
  for (const model::OwnedModule& owner : modules) {
    for (const auto& item : owner.module->named_parameters(/*recurse=*/true)) {
      const Tensor& value = item.value();
      if (!value.requires_grad() || !seen.insert(value.unsafeGetTensorImpl()).second) continue;
      std::string name = owner.prefix + item.key();
      require(names.insert(name).second, ErrorKind::internal, "train",
              "two parameters are named '{}'", name);
      const bool bias = name == "bias" || name.ends_with(".bias");
      found.push_back({.name = std::move(name),
                       .value = value,
                       .group = owner.group,
                       .learning_rate_scale = owner.learning_rate_scale,
                       .decays = value.dim() > 1 && !bias});
    }
  }
  return found;
}

void clear_gradients(const std::vector<Parameter>& parameters) {
  for (const Parameter& parameter : parameters) {
    Tensor value = parameter.value;
    value.mutable_grad().reset();
  }
}

}  // namespace tenfold::train

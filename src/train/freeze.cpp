// Patterns against parameter names.
// Not here: the patterns' language (the C library's fnmatch).
#include "train/freeze.h"

#include <fnmatch.h>

#include <algorithm>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::train {
namespace {

struct NamedParameter {
  std::string name;
  std::string short_name;  ///< without the first module's prefix
  Tensor value;
};

std::vector<NamedParameter> named_parameters(const std::vector<model::OwnedModule>& modules) {
  std::vector<NamedParameter> all;
  for (const model::OwnedModule& owner : modules) {
    for (const auto& item : owner.module->named_parameters(/*recurse=*/true)) {
      const std::string name = owner.prefix + item.key();
      all.push_back({name, &owner == &modules.front() ? item.key() : name, item.value()});
    }
  }
  return all;
}

bool matches(const std::string& pattern, const std::string& name) {
  return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

/// The names that begin as the pattern does for longest, a few of them.
std::string nearest_names(const std::string& pattern, const std::vector<NamedParameter>& all) {
  constexpr size_t kShown = 3;
  const auto common = [&](const std::string& name) {
    const auto [in_name, in_pattern] =
        std::mismatch(name.begin(), name.end(), pattern.begin(), pattern.end());
    return static_cast<size_t>(in_name - name.begin());
  };
  const auto nearness = [&](const NamedParameter& one) {
    return std::max(common(one.name), common(one.short_name));
  };
  std::vector<const NamedParameter*> order;
  for (const NamedParameter& one : all) order.push_back(&one);
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return nearness(*a) > nearness(*b); });
  std::vector<std::string> names;
  for (const NamedParameter* one : order) {
    if (names.size() == kShown) break;
    names.push_back(one->name);
  }
  return join(names, ", ");
}

}  // namespace

int64_t freeze(const std::vector<model::OwnedModule>& modules,
               const std::vector<std::string>& patterns) {
  const std::vector<NamedParameter> all = named_parameters(modules);
  int64_t frozen = 0;
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (const NamedParameter& one : all) {
      if (!matches(pattern, one.name) && !matches(pattern, one.short_name)) continue;
      found = true;
      if (!one.value.requires_grad()) continue;
      one.value.set_requires_grad(false);
      frozen += one.value.numel();
    }
    require(found, ErrorKind::config, "train.freeze",
            "'{}' matches no parameter; the nearest are {}", pattern, nearest_names(pattern, all));
  }
  return frozen;
}

}  // namespace tenfold::train

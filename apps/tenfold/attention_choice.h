// An attention kind and its options as a command line gives them.
// Not here: recipes (recipe.h), which read the same options from TOML.
#pragma once

#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::app {

/// The kind with its defaults and `settings`, each "option=value", on top. Error{config} for an
/// unknown kind or option (with the nearest name) and for values out of range.
config::Choice attention_choice(const std::string& kind, const std::vector<std::string>& settings);

}  // namespace tenfold::app

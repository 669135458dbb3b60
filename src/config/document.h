// The inside of a Document: the TOML tree and which keys came from overrides.
// Not here: fields (reader.cpp). Only the sources of this layer include it: toml++ is slow to
// compile.
#pragma once

#include <toml++/toml.h>

#include <set>
#include <string>

#include "config/reader.h"

namespace tenfold::config {

struct Document::State {
  toml::table root;
  std::string name;                  ///< of the file, for messages
  std::set<std::string> overridden;  ///< paths given by set()
};

/// "recipe.toml:12", "--set a.b=1", or the document's name where no line is known.
std::string place_of(const toml::node& node, const std::string& document_name);

}  // namespace tenfold::config

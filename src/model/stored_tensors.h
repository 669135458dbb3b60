// Which tensors of a module a checkpoint holds.
// Not here: files (weight_files.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/owned_module.h"

namespace tenfold::model {

/// Parameters, then buffers (what a model needs but never learns), each under the module's prefix.
/// The tensors are the module's own.
inline std::vector<std::pair<std::string, Tensor>> stored_tensors(const OwnedModule& owned) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto& item : owned.module->named_parameters())
    tensors.emplace_back(owned.prefix + item.key(), item.value());
  for (const auto& item : owned.module->named_buffers())
    tensors.emplace_back(owned.prefix + item.key(), item.value());
  return tensors;
}

}  // namespace tenfold::model

// Rewriting a model directory, whatever format its weights came in, as the one that is written
// here: safetensors under present-day names, with another kind of attention where asked. Not here:
// other families' architectures (refused by checkpoint.h), or what another attention keeps
// (rewire.h).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "model/rewire.h"
#include "tensor/torch.h"

namespace tenfold::model {

struct ConvertOptions {
  std::optional<at::ScalarType> dtype = {};  ///< of the stored weights; none: as they are
  uint64_t shard_bytes = 5'000'000'000;
  std::optional<Rewiring> rewiring = {};  ///< none: the model stays what it is
};

struct Conversion {
  std::string architecture = {}, dtype = {};
  int64_t tensors = 0, parameters = 0;
  std::vector<std::string> copied = {};    ///< files taken over as they are, from the folder
  std::vector<std::string> warnings = {};  ///< weights that no part of the model takes are left out
  std::vector<TensorGroup> kept = {}, fresh = {}, dropped = {};  ///< where it was re-wired
};

/// Reads `from` as load_model does and writes `to`, which must not exist yet and appears whole or
/// not at all: config.json, the weights, and every file that holds no weights (tokenizer,
/// sentence-transformers' modules) as it is. Errors are those of load_model and rewire; Error{run}
/// where `to` cannot be written or is there.
Conversion convert_directory(const std::filesystem::path& from, const std::filesystem::path& to,
                             const ConvertOptions& options = {});

}  // namespace tenfold::model

// Building a model's modules from its description, before any weight is read.
// Not here: the public ways to a model, make_model and load_model (checkpoint.h).
#pragma once

#include <cstdint>

#include "model/checkpoint.h"

namespace tenfold::model {

/// What a directory holds of the encoder: weights about to be read need no drawing.
enum class StoredEncoder : uint8_t { none, without_pooler, with_pooler };

/// Modules, and the description of what they make: architecture, labels and problem of the head.
LoadedModel assemble(const ModelDescription& description, const LoadOptions& options,
                     StoredEncoder stored);

}  // namespace tenfold::model

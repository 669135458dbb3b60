// Whether the two halves of a model directory belong together.
// Not here: reading either of them.
#pragma once

#include <filesystem>

#include "model/checkpoint.h"
#include "support/fail.h"
#include "tenfold/tokenizer.h"

namespace tenfold::app {

/// Error{checkpoint} where the tokenizer knows ids that the model has no embedding for.
inline void require_fit(const Tokenizer& tokenizer, const model::ModelDescription& description,
                        const std::filesystem::path& directory) {
  require(tokenizer.size() <= description.encoder.vocab_size, ErrorKind::checkpoint, "model",
          "{}: the tokenizer has {} tokens, the model {}", directory.string(), tokenizer.size(),
          description.encoder.vocab_size);
}

}  // namespace tenfold::app

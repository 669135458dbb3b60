// The decoders of tokenizer.json: tokens back to text.
// Not here: which tokens (tokenizer.cpp).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/json_block.h"

namespace tenfold::text {

/// Changes a list of tokens; the text is what the last one leaves, joined.
using Decoder = std::function<void(std::vector<std::string>&)>;

/// Of a decoder block. Errors: checkpoint for damage, unsupported naming what is not understood.
Decoder compile_decoder(const Block& block);

}  // namespace tenfold::text

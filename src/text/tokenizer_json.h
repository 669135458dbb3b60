// Reading a Hugging Face tokenizer.json, refusing by name whatever is not understood.
// Not here: the other files of the directory (tokenizer_files.cpp).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "text/vocabulary.h"

namespace tenfold::text {

/// A JSON file of at most 100 MB, nested at most 64 deep, without a key twice in one object. Error:
/// checkpoint.
nlohmann::json read_json(const std::filesystem::path& path);

/// The tokenizer of a tokenizer.json; `names` gives the special tokens that the file itself does
/// not name (pad, mask, and cls and sep where it has no post-processor). Errors: checkpoint for
/// damage, unsupported for other models and keys; the blocks are read by
/// who uses them.
TokenizerParts read_tokenizer_json(const std::filesystem::path& path,
                                   const WordPieceOptions& names);

}  // namespace tenfold::text

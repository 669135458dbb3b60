// The files beside a model by which sentence-transformers and text-embeddings-inference know how
// its vectors are made. Not here: reading them (model), or the model itself.
#pragma once

#include <cstdint>
#include <filesystem>

#include "model/pooling.h"

namespace tenfold::app {

/// modules.json, 1_Pooling/config.json and sentence_bert_config.json. Error{run} where they cannot
/// be written.
void write_sentence_files(const std::filesystem::path& folder, model::Pooling pooling,
                          int64_t width, int64_t max_length);

}  // namespace tenfold::app

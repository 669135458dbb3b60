// A model small enough for any test, and a directory of it.
// Not here: reference models (goldens.h).
#pragma once

#include <filesystem>
#include <string>

#include "goldens.h"
#include "model/checkpoint.h"

namespace tenfold::model::testing {

inline ModelDescription tiny_description() {
  ModelDescription description;
  EncoderConfig& encoder = description.encoder;
  encoder.vocab_size = 11;
  encoder.hidden_size = 8;
  encoder.num_hidden_layers = encoder.num_attention_heads = 2;
  encoder.intermediate_size = 12;
  encoder.max_position_embeddings = 6;
  return description;
}

struct WrittenModel {
  LoadedModel model;
  std::filesystem::path folder;
};

/// A model with weights of its own in a fresh folder.
inline WrittenModel written(const ModelDescription& description, const std::string& folder,
                            const WriteOptions& options = {}) {
  WrittenModel made{make_model(description, {.seed = 3}), fresh_folder(folder)};
  write_model(made.folder, made.model.description, made.model.modules(), options);
  return made;
}

}  // namespace tenfold::model::testing

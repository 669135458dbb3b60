// A model small enough for any test, a batch for it, and a directory of it.
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
  encoder.vocab_size = 20;
  encoder.hidden_size = 8;
  encoder.num_hidden_layers = encoder.num_attention_heads = 2;
  encoder.intermediate_size = 12;
  encoder.max_position_embeddings = 6;
  return description;
}

/// Examples `ids`, each with 4 + (id % 3) tokens of its own; the second token of each is predicted.
inline data::Batch batch_of(const std::vector<uint64_t>& ids) {
  data::Batch batch;
  batch.example_ids = ids;
  std::vector<int64_t> lengths, tokens, rows, targets, labels;
  for (const uint64_t id : ids) {
    const auto length = static_cast<int64_t>(4 + id % 3);
    rows.push_back(static_cast<int64_t>(tokens.size()) + 1);
    targets.push_back(static_cast<int64_t>(5 + id % 10));
    labels.push_back(static_cast<int64_t>(id % 3));
    lengths.push_back(length);
    for (int64_t i = 0; i < length; ++i)
      tokens.push_back((static_cast<int64_t>(id) * 7 + i * 3) % 19 + 1);
  }
  data::TokenBlock block;
  block.layout = SequenceLayout::of_lengths(lengths);
  block.ids_T = torch::tensor(tokens, torch::kInt64);
  batch.inputs["tokens"] = block;
  batch.fields["predicted_T"] = torch::tensor(rows, torch::kInt64);
  batch.fields["label_ids"] = torch::tensor(targets, torch::kInt64);
  batch.denominators["mlm"] = static_cast<double>(ids.size());
  batch.fields["labels"] = torch::tensor(labels, torch::kInt64);
  return batch;
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

// Hugging Face model directories: config.json and model.safetensors, in and out.
// Not here: training state and atomic directories (train/checkpoint_store.h), tokenizer files
// (tenfold/tokenizer.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/encoder.h"
#include "model/heads.h"
#include "model/objective.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// What a directory says in config.json.
struct ModelDescription {
  EncoderConfig encoder;
  std::string architecture = "BertModel";  ///< the first of `architectures`
  std::vector<std::string> labels;         ///< of a classifier, by class index
  std::string dtype = "float32";
  double classifier_dropout = -1;  ///< below 0: hidden_dropout_prob
  std::string
      stored_config;  ///< config.json as read, so that writing keeps keys that mean nothing here
};

/// Reads DIR/config.json. Error{checkpoint} where it is missing, no JSON or does not describe an
/// encoder that can be built; Error{unsupported} naming the model type where it is another family.
ModelDescription read_description(const std::filesystem::path& directory);

/// config.json as Hugging Face writes it; what stock readers do not know lies under "tenfold".
std::string description_json(const ModelDescription& description);

enum class Head : uint8_t { as_stored, mlm, classifier };
enum class MissingHead : uint8_t { refuse, fresh };

struct LoadOptions {
  Head head = Head::as_stored;
  MissingHead missing = MissingHead::refuse;
  std::vector<std::string> labels =
      {};                    ///< of a fresh classifier; others than the stored ones make it fresh
  uint64_t seed = 0;         ///< of fresh weights
  bool map_weights = false;  ///< leave stored weights of the wanted type in their mapped file: for
                             ///< reading models, quick to open; a trained model copies them
  torch::TensorOptions tensors = torch::TensorOptions().dtype(torch::kFloat32);
};

struct LoadedModel {
  ModelDescription description;
  std::shared_ptr<Encoder> encoder;
  std::shared_ptr<MlmHead> mlm;               ///< null unless stored or asked for
  std::shared_ptr<nn::Linear> classifier;     ///< likewise
  std::shared_ptr<nn::Linear> next_sentence;  ///< BertForPreTraining's second head
  std::vector<std::string> warnings;          ///< lines for the log

  /// All modules with the prefixes their tensors are stored under.
  std::vector<OwnedModule> modules() const;
};

/// A model that no directory holds yet: fresh weights everywhere, and the head asked for
/// (as_stored: by the description's architecture). Error{config} where the numbers do not fit
/// together.
LoadedModel make_model(const ModelDescription& description, const LoadOptions& options = {});

/// Loads a directory: one file or shards with an index, fp32, bf16 or fp16 (widened to
/// options.tensors), old names
/// ("gamma", "beta", no "bert.", position_ids), tied weights. Error{checkpoint} naming file and
/// tensor where one of the encoder is missing, has another shape, or is no float; heads follow
/// `options.missing`.
LoadedModel load_model(const std::filesystem::path& directory, const LoadOptions& options = {});

/// Overwrites the parameters of `modules` with the weights in `directory`, bit for bit where the
/// types are equal. Error{checkpoint} where one is missing.
void read_weights(const std::filesystem::path& directory, const std::vector<OwnedModule>& modules);

struct WriteOptions {
  uint64_t shard_bytes = 5'000'000'000;      ///< above: several files with an index
  std::optional<at::ScalarType> dtype = {};  ///< of the stored weights; none: their own
};

/// Writes config.json and model.safetensors into an existing folder. Error{run} where that fails.
void write_model(const std::filesystem::path& folder, const ModelDescription& description,
                 const std::vector<OwnedModule>& modules, const WriteOptions& options = {});

}  // namespace tenfold::model

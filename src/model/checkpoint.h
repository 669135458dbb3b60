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
#include "model/family.h"
#include "model/heads.h"
#include "model/owned_module.h"
#include "model/sequence_classifier.h"
#include "tensor/torch.h"

namespace tenfold::model {

/// What the numbers of a sequence classifier mean (`problem_type` of config.json).
enum class ProblemType : uint8_t {
  single_label,  ///< one class of several: softmax
  multi_label,   ///< any number of classes: a sigmoid each
  regression,    ///< one number, as it is
};

/// What a directory says in config.json.
struct ModelDescription {
  EncoderConfig encoder;
  std::string architecture = "BertModel";           ///< the first of `architectures`
  std::vector<std::string> labels;                  ///< of a classifier, by class index
  ProblemType problem = ProblemType::single_label;  ///< of a sequence classifier
  std::string dtype = "float32";                    ///< of the stored weights
  double classifier_dropout = -1;                   ///< below 0: hidden_dropout_prob
  SummaryOptions summary;                           ///< of ELECTRA's head for multiple choice
  std::string task;  ///< JSON: what the model was fine-tuned for and its options, as the program
                     ///< wrote it; empty: nothing is known
  std::string
      stored_config;  ///< config.json as read, so that writing keeps keys that mean nothing here

  const Family& family() const { return family_of(encoder.family, "model"); }
  Head head() const { return family().head_of(architecture); }
};

/// Reads DIR/config.json. Error{checkpoint} where it is missing, no JSON or does not describe an
/// encoder that can be built; Error{unsupported} naming the model type where it is another family.
ModelDescription read_description(const std::filesystem::path& directory);

/// config.json as Hugging Face writes it; what stock readers do not know lies under "tenfold".
std::string description_json(const ModelDescription& description);

enum class MissingHead : uint8_t { refuse, fresh };

struct LoadOptions {
  Head head = Head::as_stored;
  MissingHead missing = MissingHead::refuse;
  std::vector<std::string> labels =
      {};  ///< of a fresh classifier or token classifier; others than the stored ones make it fresh
  std::optional<ProblemType> problem = {};  ///< of a classifier; none: as stored, or by `labels`
  uint64_t seed = 0;                        ///< of fresh weights
  bool map_weights = false;  ///< leave stored weights of the wanted type in their mapped file: for
                             ///< reading models, quick to open; a trained model copies them
  torch::TensorOptions tensors = torch::TensorOptions().dtype(torch::kFloat32);
};

/// An encoder and its heads: those stored or asked for, the others null.
struct LoadedModel {
  ModelDescription description;
  std::shared_ptr<Encoder> encoder;
  std::shared_ptr<MlmHead> mlm;
  std::shared_ptr<SequenceClassifier> classifier;
  std::shared_ptr<TokenClassifier> token_classifier;
  std::shared_ptr<SpanHead> span;
  std::shared_ptr<SequenceClassifier> choice;  ///< [B, 1]
  std::shared_ptr<ReplacedTokenHead> replaced_token;
  std::shared_ptr<nn::Linear> next_sentence;  ///< BertForPreTraining's second head
  std::vector<std::string> warnings;          ///< lines for the log

  OwnedModule encoder_module() const;
  /// All modules with the prefixes their tensors are stored under, the encoder first.
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

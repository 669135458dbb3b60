// Building modules from a model directory, and writing them back.
// Not here: config.json (config_json.cpp), old names and shards (weight_files.cpp).
#include "model/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "model/weight_files.h"
#include "support/fail.h"
#include "support/files.h"
#include "tensor/device.h"
#include "tensor/finite.h"
#include "tensor/init.h"

namespace tenfold::model {
namespace {

constexpr const char* kEncoderPrefix = "bert.";
constexpr const char* kMlmPrefix = "cls.predictions.";
constexpr const char* kNextSentencePrefix = "cls.seq_relationship.";
constexpr const char* kClassifierPrefix = "classifier.";

std::string shape_text(at::IntArrayRef shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

void check_entry(const WeightFiles& files, const std::string& name, at::IntArrayRef wanted) {
  const TensorEntry& entry = files.entry(name);
  require(at::isFloatingType(scalar_type(entry.type)), ErrorKind::checkpoint, "model",
          "{}: '{}' is stored as {}, a float was expected", files.directory().string(), name,
          element_name(entry.type));
  require(wanted == at::IntArrayRef(entry.shape), ErrorKind::checkpoint, "model",
          "{}: '{}' has shape {}, {} was expected", files.directory().string(), name,
          shape_text(entry.shape), shape_text(wanted));
}

/// Gives a parameter its stored value: the mapped file itself where asked for and of the same type.
void take_weight(Tensor parameter, const Tensor& stored, bool map_weights) {
  if (map_weights && stored.options().type_equal(parameter.options())) {
    parameter.set_data(stored);
  } else {
    parameter.copy_(stored);
  }
}

/// Loads stored weights into one module and notes what was used; NaN weights become warnings.
void fill(const WeightFiles& files, const OwnedModule& owned, bool map_weights,
          std::set<std::string>& used, std::vector<std::string>& warnings) {
  torch::NoGradGuard no_gradient;
  for (auto& item : owned.module->named_parameters()) {
    const std::string name = owned.prefix + item.key();
    std::string stored = name;
    if (!files.has(name) && name == "cls.predictions.bias") stored = "cls.predictions.decoder.bias";
    require(files.has(stored), ErrorKind::checkpoint, "model", "{}: the weight '{}' is missing",
            files.directory().string(), name);
    check_entry(files, stored, item.value().sizes());
    take_weight(item.value(), files.tensor(stored), map_weights);
    used.insert(stored);
    if (!all_finite(item.value())) {
      warnings.push_back(fmt::format("'{}' holds values that are not finite", name));
    }
  }
}

bool stored_under(const WeightFiles& files, const std::string& prefix) {
  const auto names = files.names();
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& n) { return n.starts_with(prefix); });
}

/// Before anything is allocated: every size config.json states against the tensors that are there.
void check_sizes(const WeightFiles& files, const EncoderConfig& config) {
  const int64_t width = config.hidden_size;
  check_entry(files, "bert.embeddings.word_embeddings.weight", {config.vocab_size, width});
  check_entry(files, "bert.embeddings.position_embeddings.weight",
              {config.max_position_embeddings, width});
  check_entry(files, "bert.embeddings.token_type_embeddings.weight",
              {config.type_vocab_size, width});
  int64_t layer = 0;
  for (const nn::StackRun& run : config.stack().runs) {
    const int64_t inner =
        run.intermediate_size > 0 ? run.intermediate_size : config.intermediate_size;
    for (int64_t i = 0; i < run.count; ++i, ++layer) {
      const std::string prefix = fmt::format("bert.encoder.layer.{}.", layer);
      check_entry(files, prefix + "attention.output.dense.weight", {width, width});
      check_entry(files, prefix + "intermediate.dense.weight", {inner, width});
      check_entry(files, prefix + "output.dense.weight", {width, inner});
    }
  }
}

struct WantedHeads {
  bool mlm, classifier, next_sentence;
};

WantedHeads wanted_heads(const LoadOptions& options, const std::string& architecture) {
  const bool stored = options.head == Head::as_stored;
  const bool both = stored && architecture == "BertForPreTraining";
  return {.mlm = options.head == Head::mlm || both || (stored && architecture == "BertForMaskedLM"),
          .classifier = options.head == Head::classifier ||
                        (stored && architecture == "BertForSequenceClassification"),
          .next_sentence = both};
}

enum class Stored : uint8_t { nothing, encoder, encoder_and_pooler };

/// Modules, and the architecture they make. Weights are fresh but for an encoder that is stored as
/// a whole: its own are about to be loaded.
LoadedModel build(const ModelDescription& description, const LoadOptions& options, Stored stored) {
  LoadedModel model;
  model.description = description;
  const EncoderConfig& config = description.encoder;
  const WantedHeads wanted = wanted_heads(options, description.architecture);
  const bool stored_pooler = stored == Stored::encoder_and_pooler;
  const bool pooler = wanted.classifier || wanted.next_sentence || stored_pooler;
  {
    const UninitialisedWeights guard(stored_pooler || (stored == Stored::encoder && !pooler));
    model.encoder = std::make_shared<Encoder>(config, pooler ? Pooler::tanh : Pooler::none,
                                              options.seed, options.tensors);
  }
  if (wanted.mlm) model.mlm = std::make_shared<MlmHead>(config, options.seed, options.tensors);
  if (wanted.next_sentence)
    model.next_sentence = make_classifier(config, 2, options.seed, options.tensors);
  if (wanted.classifier) {
    if (!options.labels.empty()) model.description.labels = options.labels;
    const auto classes = static_cast<int64_t>(model.description.labels.size());
    require(classes > 0, ErrorKind::checkpoint, "model",
            "the classifier has no labels (id2label in config.json)");
    model.classifier = make_classifier(config, classes, options.seed, options.tensors);
  }
  if (options.head == Head::mlm) model.description.architecture = "BertForMaskedLM";
  if (options.head == Head::classifier)
    model.description.architecture = "BertForSequenceClassification";
  if (!wanted.classifier) model.description.labels.clear();
  return model;
}

/// Loads a head, or leaves it fresh where it is missing and the command creates it.
void fill_head(const WeightFiles& files, const OwnedModule& owned, bool stored,
               const LoadOptions& options, std::set<std::string>& used,
               std::vector<std::string>& warnings) {
  if (stored) {
    fill(files, owned, options.map_weights, used, warnings);
    return;
  }
  require(options.missing == MissingHead::fresh, ErrorKind::checkpoint, "model",
          "{}: the head's weights '{}*' are missing or of other labels: fine-tune the model first",
          files.directory().string(), owned.prefix);
  warnings.push_back(fmt::format("no weights '{}*' in {}: a fresh head was made", owned.prefix,
                                 files.directory().string()));
}

/// The vocabulary head uses the word embeddings: a decoder of its own would be lost in silence.
void check_tied(const WeightFiles& files, const Tensor& words_VD) {
  const std::string name = "cls.predictions.decoder.weight";
  if (!files.has(name)) return;
  require(torch::equal(files.tensor(name).to(words_VD.options()), words_VD.detach()),
          ErrorKind::unsupported, "model",
          "{}: '{}' differs from the word embeddings: only tied vocabulary heads are supported",
          files.directory().string(), name);
}

void fill_encoder(const WeightFiles& files, LoadedModel& model, const LoadOptions& options,
                  std::set<std::string>& used) {
  const OwnedModule encoder{.prefix = kEncoderPrefix, .module = model.encoder};
  const bool fresh_pooler = model.encoder->has_pooler() && !files.has("bert.pooler.dense.weight");
  if (!fresh_pooler) {
    fill(files, encoder, options.map_weights, used, model.warnings);
    return;
  }
  require(options.missing == MissingHead::fresh, ErrorKind::checkpoint, "model",
          "{}: the weight 'bert.pooler.dense.weight' is missing: fine-tune the model first",
          files.directory().string());
  model.warnings.push_back(
      fmt::format("no pooler in {}: a fresh one was made", files.directory().string()));
  for (const auto& child : model.encoder->named_children()) {
    if (child.key() == "pooler") continue;
    fill(files, {.prefix = kEncoderPrefix + child.key() + ".", .module = child.value()},
         options.map_weights, used, model.warnings);
  }
}

}  // namespace

std::vector<OwnedModule> LoadedModel::modules() const {
  std::vector<OwnedModule> all{{.prefix = kEncoderPrefix, .module = encoder}};
  if (mlm) all.push_back({.prefix = kMlmPrefix, .module = mlm});
  if (next_sentence) all.push_back({.prefix = kNextSentencePrefix, .module = next_sentence});
  if (classifier) all.push_back({.prefix = kClassifierPrefix, .module = classifier});
  return all;
}

LoadedModel make_model(const ModelDescription& description, const LoadOptions& options) {
  description.encoder.validate("model");
  return build(description, options, Stored::nothing);
}

LoadedModel load_model(const std::filesystem::path& directory, const LoadOptions& options) {
  const ModelDescription description = read_description(directory);
  const WeightFiles files(directory);
  check_sizes(files, description.encoder);
  LoadedModel model =
      build(description, options,
            files.has("bert.pooler.dense.weight") ? Stored::encoder_and_pooler : Stored::encoder);
  const bool other_labels = model.classifier && model.description.labels != description.labels;

  std::set<std::string> used;
  fill_encoder(files, model, options, used);
  if (model.mlm) check_tied(files, model.encoder->word_embeddings_VD());
  for (const OwnedModule& head : model.modules()) {
    if (head.prefix == kEncoderPrefix) continue;
    const bool stored =
        stored_under(files, head.prefix) && !(other_labels && head.prefix == kClassifierPrefix);
    fill_head(files, head, stored, options, used, model.warnings);
  }
  for (const std::string& name : files.names()) {
    const bool tied =
        name == "cls.predictions.decoder.weight" || name == "cls.predictions.decoder.bias";
    const bool unasked_head = options.head != Head::as_stored && !name.starts_with(kEncoderPrefix);
    if (!used.contains(name) && !tied && !unasked_head) {
      model.warnings.push_back(fmt::format("'{}' is not used by this model", name));
    }
  }
  return model;
}

void read_weights(const std::filesystem::path& directory, const std::vector<OwnedModule>& modules) {
  const WeightFiles files(directory);
  std::set<std::string> used;
  std::vector<std::string> warnings;
  for (const OwnedModule& owned : modules) fill(files, owned, false, used, warnings);
}

void write_model(const std::filesystem::path& folder, const ModelDescription& description,
                 const std::vector<OwnedModule>& modules, const WriteOptions& options) {
  ModelDescription described = description;
  std::vector<NamedTensors> shards(1);
  uint64_t in_shard = 0, total = 0;
  for (const OwnedModule& owned : modules) {
    for (const auto& item : owned.module->named_parameters()) {
      const Tensor value =
          item.value().detach().to(options.dtype.value_or(item.value().scalar_type()));
      if (total == 0) described.dtype = dtype_name(value.scalar_type());
      const uint64_t bytes = value.nbytes();
      if (in_shard > 0 && in_shard + bytes > options.shard_bytes) {
        shards.emplace_back();
        in_shard = 0;
      }
      shards.back().emplace_back(owned.prefix + item.key(), value);
      in_shard += bytes;
      total += bytes;
    }
  }
  write_file_atomically(folder / "config.json", description_json(described));
  if (shards.size() == 1) {
    write_safetensors(folder / "model.safetensors", shards[0]);
    return;
  }
  nlohmann::ordered_json index{{"metadata", {{"total_size", total}}},
                               {"weight_map", nlohmann::ordered_json::object()}};
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
    write_safetensors(folder / name, shards[i]);
    for (const auto& [tensor, value] : shards[i]) index["weight_map"][tensor] = name;
  }
  write_file_atomically(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

}  // namespace tenfold::model

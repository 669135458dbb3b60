// Filling a model's modules with a directory's weights.
// Not here: config.json (config_json.cpp), old names and shards (weight_files.cpp), what modules
// there are (assemble.cpp), writing (write_model.cpp).
#include "model/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "model/assemble.h"
#include "model/stored_tensors.h"
#include "model/weight_files.h"
#include "support/fail.h"
#include "tensor/device.h"
#include "tensor/finite.h"

namespace tenfold::model {
namespace {

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
  const Family& family = files.family();
  torch::NoGradGuard no_gradient;
  for (const auto& [name, value] : stored_tensors(owned)) {
    std::string stored = name;
    if (!files.has(name) && name == family.bias) stored = family.tied_bias;
    require(files.has(stored), ErrorKind::checkpoint, "model", "{}: the weight '{}' is missing",
            files.directory().string(), name);
    check_entry(files, stored, value.sizes());
    take_weight(value, files.tensor(stored), map_weights);
    used.insert(stored);
    if (!all_finite(value)) {
      warnings.push_back(fmt::format("'{}' holds values that are not finite", name));
    }
  }
}

/// Whether any tensor of the module is in the files.
bool is_stored(const WeightFiles& files, const OwnedModule& owned) {
  for (const auto& item : owned.module->named_parameters()) {
    if (files.has(owned.prefix + item.key())) return true;
  }
  return false;
}

/// Before anything is allocated: every size config.json states against the tensors that are there.
void check_sizes(const WeightFiles& files, const EncoderConfig& config) {
  const int64_t width = config.hidden_size, embedded = config.embedding_width();
  const std::string prefix(files.family().encoder_prefix);
  const std::string tables = prefix + "embeddings.";
  check_entry(files, tables + "word_embeddings.weight", {config.vocab_size, embedded});
  check_entry(files, tables + "position_embeddings.weight",
              {config.max_position_embeddings, embedded});
  check_entry(files, tables + "token_type_embeddings.weight", {config.type_vocab_size, embedded});
  if (embedded != width)
    check_entry(files, prefix + "embeddings_project.weight", {width, embedded});
  int64_t layer = 0;
  for (const nn::StackRun& run : config.stack().runs) {
    const int64_t inner =
        run.intermediate_size > 0 ? run.intermediate_size : config.intermediate_size;
    for (int64_t i = 0; i < run.count; ++i, ++layer) {
      const std::string block = fmt::format("{}encoder.layer.{}.", prefix, layer);
      check_entry(files, block + "attention.output.dense.weight", {width, width});
      check_entry(files, block + "intermediate.dense.weight", {inner, width});
      check_entry(files, block + "output.dense.weight", {width, inner});
    }
  }
}

/// Loads a head, or leaves it fresh where it is missing and the command creates it.
void fill_head(const WeightFiles& files, const OwnedModule& owned, bool stored,
               const LoadOptions& options, std::set<std::string>& used,
               std::vector<std::string>& warnings) {
  if (stored) {
    fill(files, owned, options.map_weights, used, warnings);
    return;
  }
  const std::string name =
      owned.prefix.empty() ? owned.module->named_parameters().front().key() : owned.prefix + "*";
  require(options.missing == MissingHead::fresh, ErrorKind::checkpoint, "model",
          "{}: the head's weights '{}' are missing or of other labels: fine-tune the model first",
          files.directory().string(), name);
  warnings.push_back(fmt::format("no weights '{}' in {}: a fresh head was made", name,
                                 files.directory().string()));
}

/// The vocabulary head uses the word embeddings: a decoder of its own would be lost in silence.
void check_tied(const WeightFiles& files, const Tensor& words_VE) {
  const std::string name(files.family().tied_weight);
  if (!files.has(name)) return;
  require(torch::equal(files.tensor(name).to(words_VE.options()), words_VE.detach()),
          ErrorKind::unsupported, "model",
          "{}: '{}' differs from the word embeddings: only tied vocabulary heads are supported",
          files.directory().string(), name);
}

void fill_encoder(const WeightFiles& files, LoadedModel& model, const LoadOptions& options,
                  std::set<std::string>& used) {
  const OwnedModule encoder = model.encoder_module();
  const std::string pooler = encoder.prefix + "pooler.dense.weight";
  if (!model.encoder->has_pooler() || files.has(pooler)) {
    fill(files, encoder, options.map_weights, used, model.warnings);
    return;
  }
  require(options.missing == MissingHead::fresh, ErrorKind::checkpoint, "model",
          "{}: the weight '{}' is missing: fine-tune the model first", files.directory().string(),
          pooler);
  model.warnings.push_back(
      fmt::format("no pooler in {}: a fresh one was made", files.directory().string()));
  for (const auto& child : model.encoder->named_children()) {
    if (child.key() == "pooler") continue;
    fill(files, {.prefix = encoder.prefix + child.key() + ".", .module = child.value()},
         options.map_weights, used, model.warnings);
  }
}

/// Several heads share the name "classifier.": the stored one must be of the same kind, and have
/// the same labels in the same order where it has labels.
bool stored_classifier_fits(const ModelDescription& stored, const ModelDescription& made) {
  const Head kind = stored.head();
  return (kind == made.head() || kind == Head::none) &&
         (made.head() == Head::choice || stored.labels == made.labels);
}

/// Names of the file that no module took, but for those that are meant to be left.
void note_unused(const WeightFiles& files, const LoadOptions& options,
                 const std::set<std::string>& used, std::vector<std::string>& warnings) {
  const Family& family = files.family();
  const std::string encoder(family.encoder_prefix);
  for (const std::string& name : files.names()) {
    const bool tied = name == family.tied_weight || name == family.tied_bias;
    const bool unasked = options.head != Head::as_stored &&
                         (!name.starts_with(encoder) || name.starts_with(encoder + "pooler."));
    if (!used.contains(name) && !tied && !unasked)
      warnings.push_back(fmt::format("'{}' is not used by this model", name));
  }
}

/// Number format of the weights themselves, whatever config.json says.
std::string stored_dtype(const WeightFiles& files) {
  const std::string words =
      std::string(files.family().encoder_prefix) + "embeddings.word_embeddings.weight";
  return dtype_name(scalar_type(files.entry(words).type));
}

}  // namespace

LoadedModel load_model(const std::filesystem::path& directory, const LoadOptions& options) {
  const ModelDescription description = read_description(directory);
  const WeightFiles files(directory, description.family());
  check_sizes(files, description.encoder);
  const std::string pooler = std::string(files.family().encoder_prefix) + "pooler.dense.weight";
  LoadedModel model =
      assemble(description, options,
               files.has(pooler) ? StoredEncoder::with_pooler : StoredEncoder::without_pooler);
  model.description.dtype = stored_dtype(files);
  std::set<std::string> used;
  fill_encoder(files, model, options, used);
  if (model.mlm) check_tied(files, model.encoder->word_embeddings_VE());
  const bool has_classifier = model.classifier || model.token_classifier || model.choice;
  const bool usable = !has_classifier || stored_classifier_fits(description, model.description);
  const std::vector<OwnedModule> modules = model.modules();
  for (size_t head = 1; head < modules.size(); ++head) {
    fill_head(files, modules[head], usable && is_stored(files, modules[head]), options, used,
              model.warnings);
  }
  note_unused(files, options, used, model.warnings);
  return model;
}

void read_weights(const std::filesystem::path& directory, const std::vector<OwnedModule>& modules) {
  const WeightFiles files(directory, read_description(directory).family());
  std::set<std::string> used;
  std::vector<std::string> warnings;
  for (const OwnedModule& owned : modules) fill(files, owned, false, used, warnings);
}

}  // namespace tenfold::model

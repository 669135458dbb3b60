// config.json of BERT-shaped models, read with suspicion and written as stock readers expect it.
// Not here: weights (checkpoint.cpp).
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/reader.h"
#include "config/writer.h"
#include "model/checkpoint.h"
#include "nn/attention_table.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"

namespace tenfold::model {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestConfig = 16 << 20;

json parse_config(const std::filesystem::path& path) {
  require(std::filesystem::is_regular_file(path), ErrorKind::checkpoint, "model", "{} is missing",
          path.string());
  json parsed = parse_json(read_file(path, kLargestConfig, ErrorKind::checkpoint), path.string(),
                           ErrorKind::checkpoint, "model");
  require(parsed.is_object(), ErrorKind::checkpoint, "model", "{}: expected an object",
          path.string());
  return parsed;
}

/// Reads one key where it is present and not null; a value of another type names the key.
template <typename T>
void take(const json& config, const char* key, T& value, const std::string& file) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return;
  const bool fits = std::is_same_v<T, std::string> ? found->is_string()
                    : std::is_same_v<T, bool>      ? found->is_boolean()
                    : std::is_same_v<T, int64_t>   ? found->is_number_integer()
                                                   : found->is_number();
  require(fits, ErrorKind::checkpoint, "model", "{}: {} has the wrong type: {}", file, key,
          found->dump());
  value = found->get<T>();
}

/// The fields of EncoderConfig that config.json stores under the same names.
template <typename Visit>
void stored_fields(EncoderConfig& c, Visit visit) {
  visit("vocab_size", c.vocab_size);
  visit("hidden_size", c.hidden_size);
  visit("num_hidden_layers", c.num_hidden_layers);
  visit("num_attention_heads", c.num_attention_heads);
  visit("intermediate_size", c.intermediate_size);
  visit("hidden_act", c.hidden_act);
  visit("hidden_dropout_prob", c.hidden_dropout_prob);
  visit("attention_probs_dropout_prob", c.attention_probs_dropout_prob);
  visit("max_position_embeddings", c.max_position_embeddings);
  visit("type_vocab_size", c.type_vocab_size);
  visit("initializer_range", c.initializer_range);
  visit("layer_norm_eps", c.layer_norm_eps);
  visit("pad_token_id", c.pad_token_id);
  if (c.family == "electra") visit("embedding_size", c.embedding_size);
}

/// The families' own values of what config.json leaves out.
EncoderConfig usual_config(const std::string& family) {
  EncoderConfig config;
  config.family = family;
  if (family == "electra") {
    config.embedding_size = 128;
    config.hidden_size = 256;
    config.num_attention_heads = 4;
    config.intermediate_size = 1024;
  }
  if (family == "roberta") {
    config.vocab_size = 50265;
    config.pad_token_id = 1;
  }
  return config;
}

constexpr std::array<std::pair<ProblemType, const char*>, 3> kProblems = {
    {{ProblemType::single_label, "single_label_classification"},
     {ProblemType::multi_label, "multi_label_classification"},
     {ProblemType::regression, "regression"}}};

/// Where nothing is said, a classifier with one label gives a number.
ProblemType read_problem(const json& config, size_t labels, const std::string& file) {
  std::string name;
  take(config, "problem_type", name, file);
  if (name.empty()) return labels == 1 ? ProblemType::regression : ProblemType::single_label;
  for (const auto& [problem, text] : kProblems) {
    if (name == text) return problem;
  }
  fail(ErrorKind::checkpoint, "model",
       "{}: problem_type is '{}': expected single_label_classification, "
       "multi_label_classification or regression",
       file, name);
}

const char* problem_name(ProblemType problem) {
  for (const auto& [kind, text] : kProblems) {
    if (kind == problem) return text;
  }
  return "";
}

/// `summary_*`; what no head here computes is refused where the architecture needs it.
SummaryOptions read_summary(const json& config, Head head, const std::string& file) {
  SummaryOptions summary;
  take(config, "summary_use_proj", summary.project, file);
  take(config, "summary_first_dropout", summary.first_dropout, file);
  take(config, "summary_last_dropout", summary.last_dropout, file);
  std::string type = "first", activation = "gelu";
  take(config, "summary_type", type, file);
  if (const auto found = config.find("summary_activation");
      found != config.end() && found->is_null()) {
    activation = "none";
  }
  take(config, "summary_activation", activation, file);
  constexpr std::array<std::pair<const char*, nn::Activation>, 4> kActivations = {
      {{"none", nn::Activation::none},
       {"gelu", nn::Activation::gelu},
       {"relu", nn::Activation::relu},
       {"tanh", nn::Activation::tanh}}};
  const auto* known = std::find_if(kActivations.begin(), kActivations.end(),
                                   [&](const auto& one) { return one.first == activation; });
  require(head != Head::choice || (type == "first" && known != kActivations.end()),
          ErrorKind::unsupported, "model",
          "{}: summary_type '{}' with summary_activation '{}' is not supported: expected first "
          "with gelu, relu or tanh",
          file, type, activation);
  if (known != kActivations.end()) summary.activation = known->second;
  return summary;
}

config::ChoiceTables attention_choices() {
  return {{"attention", nn::attention_table().choices()}};
}

std::vector<std::string> read_labels(const json& config, const std::string& file) {
  const auto found = config.find("id2label");
  if (found == config.end() || found->is_null()) return {};
  require(found->is_object(), ErrorKind::checkpoint, "model", "{}: id2label is not an object",
          file);
  std::vector<std::string> labels(found->size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto label = found->find(std::to_string(i));
    require(label != found->end() && label->is_string(), ErrorKind::checkpoint, "model",
            "{}: id2label has no text for class {}", file, i);
    labels[i] = label->get<std::string>();
  }
  return labels;
}

}  // namespace

ModelDescription read_description(const std::filesystem::path& directory) {
  require(std::filesystem::is_directory(directory), ErrorKind::checkpoint, "model",
          "{} is no model directory", directory.string());
  const std::filesystem::path path = directory / "config.json";
  const std::string file = path.string();
  const json config = parse_config(path);
  std::string type = "bert";
  take(config, "model_type", type, file);
  constexpr std::string_view kOwn = "tenfold-";
  if (type.starts_with(kOwn)) type.erase(0, kOwn.size());
  const Family& family = family_of(type, file);
  ModelDescription description;
  description.encoder = usual_config(type);
  description.architecture = family.architecture(Head::none);
  stored_fields(description.encoder,
                [&](const char* key, auto& value) { take(config, key, value, file); });
  take(config, "torch_dtype", description.dtype, file);
  take(config, "dtype", description.dtype, file);
  std::string position = "absolute";
  take(config, "position_embedding_type", position, file);
  require(position == "absolute", ErrorKind::unsupported, "model",
          "{}: position_embedding_type '{}' is not supported: expected absolute", file, position);
  if (const auto names = config.find("architectures");
      names != config.end() && names->is_array() && !names->empty() && names->front().is_string()) {
    description.architecture = names->front().get<std::string>();
  }
  const Head head = description.head();
  description.labels = read_labels(config, file);
  if (description.labels.empty() && (head == Head::classifier || head == Head::token_classifier)) {
    description.labels = {"LABEL_0", "LABEL_1"};  // what stock readers take where nothing is said
  }
  if (head == Head::classifier)
    description.problem = read_problem(config, description.labels.size(), file);
  if (family.name == "electra") description.summary = read_summary(config, head, file);
  take(config, "classifier_dropout", description.classifier_dropout, file);
  description.stored_config = config.dump();
  try {
    if (const auto own = config.find("tenfold"); own != config.end()) {
      if (own->contains("task")) description.task = own->at("task").dump();
      if (own->contains("model")) {
        config::Document::from_json(own->at("model"), file)
            .read(description.encoder, attention_choices());
      }
    }
    // Ranges are those of the fields: writing and reading them once checks every number.
    EncoderConfig checked;
    config::Document::from_json(config::write_json(description.encoder), file)
        .read(checked, attention_choices());
    checked.validate(file);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::config) throw;
    throw Error(ErrorKind::checkpoint, "model", error.what());
  }
  return description;
}

std::string description_json(const ModelDescription& description) {
  EncoderConfig encoder = description.encoder;
  const bool plain = encoder.layers.empty() && !encoder.residual_attention &&
                     (encoder.attention.kind.empty() || encoder.attention.kind == "softmax");
  json out =
      description.stored_config.empty() ? json::object() : json::parse(description.stored_config);
  for (const char* key : {"dtype", "tenfold", "id2label", "label2id", "num_labels", "problem_type"})
    out.erase(key);
  encoder.embedding_size = encoder.embedding_width();
  out["architectures"] = json::array({description.architecture});
  out["model_type"] = plain ? encoder.family : "tenfold-" + encoder.family;
  stored_fields(encoder, [&](const char* key, auto& value) { out[key] = value; });
  out["position_embedding_type"] = "absolute";
  out["classifier_dropout"] =
      description.classifier_dropout < 0 ? json() : json(description.classifier_dropout);
  out["tie_word_embeddings"] = true;
  out["torch_dtype"] = description.dtype;
  out["transformers_version"] = "4.40.0";
  if (!description.labels.empty()) {
    json names = json::object(), numbers = json::object();
    for (size_t i = 0; i < description.labels.size(); ++i) {
      names[std::to_string(i)] = description.labels[i];
      numbers[description.labels[i]] = i;
    }
    out["id2label"] = names;
    out["label2id"] = numbers;
  }
  if (description.head() == Head::classifier)
    out["problem_type"] = problem_name(description.problem);
  out["tenfold"]["version"] = TENFOLD_VERSION;
  if (!description.task.empty()) out["tenfold"]["task"] = json::parse(description.task);
  if (!plain) out["tenfold"]["model"] = config::write_json(encoder);
  return out.dump(2) + "\n";
}

}  // namespace tenfold::model

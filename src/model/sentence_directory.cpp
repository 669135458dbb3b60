// modules.json, the configurations of its modules and the weights of dense ones.
// Not here: pooling (pooling.cpp).
#include "model/sentence_directory.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "model/sentence_losses.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "support/strings.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::model {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kLargestSentenceConfig = 16 << 20;
constexpr size_t kMostModules = 16;

json parse_object(const fs::path& path) {
  require(fs::is_regular_file(path), ErrorKind::checkpoint, "model", "{} is missing",
          path.string());
  json parsed = parse_json(read_file(path, kLargestSentenceConfig, ErrorKind::checkpoint),
                           path.string(), ErrorKind::checkpoint, "model");
  require(parsed.is_object(), ErrorKind::checkpoint, "model", "{}: expected an object",
          path.string());
  return parsed;
}

/// The value of `key` where it is there and not null; of another type, a refusal.
template <typename T>
std::optional<T> find_value(const json& object, const char* key, const fs::path& file) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  const bool fits = std::is_same_v<T, bool>      ? found->is_boolean()
                    : std::is_same_v<T, int64_t> ? found->is_number_integer()
                                                 : found->is_string();
  require(fits, ErrorKind::checkpoint, "model", "{}: {} has the wrong type: {}", file.string(), key,
          found->dump());
  return found->get<T>();
}

struct SentenceModule {
  std::string kind;  // the last part of its class: "Transformer"
  fs::path folder;
};

/// A folder of the directory: nothing that leads out of it.
fs::path folder_within(const fs::path& directory, const std::string& name, const fs::path& file) {
  const fs::path path(name);
  const bool leads_out = path.is_absolute() || std::any_of(path.begin(), path.end(),
                                                           [](auto& part) { return part == ".."; });
  require(!leads_out, ErrorKind::checkpoint, "model", "{}: '{}' lies outside the folder",
          file.string(), name);
  return name.empty() ? directory : directory / path;
}

std::vector<SentenceModule> read_modules(const fs::path& directory) {
  const fs::path file = directory / "modules.json";
  const json parsed = parse_json(read_file(file, kLargestSentenceConfig, ErrorKind::checkpoint),
                                 file.string(), ErrorKind::checkpoint, "model");
  require(parsed.is_array() && !parsed.empty() && parsed.size() <= kMostModules,
          ErrorKind::checkpoint, "model", "{}: expected a list of 1 to {} modules", file.string(),
          kMostModules);
  std::vector<SentenceModule> modules;
  for (const json& item : parsed) {
    require(item.is_object(), ErrorKind::checkpoint, "model", "{}: a module is no object",
            file.string());
    const auto type = find_value<std::string>(item, "type", file);
    require(type.has_value(), ErrorKind::checkpoint, "model", "{}: a module has no type",
            file.string());
    const auto path = find_value<std::string>(item, "path", file);
    modules.push_back({.kind = type->substr(type->rfind('.') + 1),
                       .folder = folder_within(directory, path.value_or(""), file)});
  }
  return modules;
}

Pooling read_pooling(const fs::path& folder) {
  constexpr std::array<std::pair<const char*, Pooling>, 3> kModes = {
      {{"mean", Pooling::mean}, {"cls", Pooling::cls}, {"max", Pooling::max}}};
  const fs::path file = folder / "config.json";
  const json config = parse_object(file);
  std::vector<std::string> chosen;
  if (const auto mode = find_value<std::string>(config, "pooling_mode", file))
    chosen.push_back(*mode);
  for (const auto& [key, value] : config.items()) {
    const std::string_view prefix = "pooling_mode_";
    if (!key.starts_with(prefix) || !value.is_boolean() || !value.get<bool>()) continue;
    std::string mode = key.substr(prefix.size());
    for (const std::string_view end : {"_tokens", "_token"}) {
      if (mode.ends_with(end)) mode.resize(mode.size() - end.size());
    }
    chosen.push_back(mode);
  }
  require(chosen.size() == 1, ErrorKind::unsupported, "model",
          "{}: {} pooling modes at once: one of mean, cls, max was expected", file.string(),
          chosen.size());
  for (const auto& [name, pooling] : kModes) {
    if (chosen[0] == name) return pooling;
  }
  fail(ErrorKind::unsupported, "model",
       "{}: pooling mode '{}' is not supported: expected mean, cls or max", file.string(),
       chosen[0]);
}

nn::Activation read_activation(const json& config, const fs::path& file) {
  constexpr std::array<std::pair<std::string_view, nn::Activation>, 4> kActivations = {
      {{"Identity", nn::Activation::none},
       {"Tanh", nn::Activation::tanh},
       {"ReLU", nn::Activation::relu},
       {"GELU", nn::Activation::gelu}}};
  const std::string name = find_value<std::string>(config, "activation_function", file)
                               .value_or("torch.nn.modules.activation.Tanh");
  const std::string_view kind = std::string_view(name).substr(name.rfind('.') + 1);
  for (const auto& [known, activation] : kActivations) {
    if (known == kind) return activation;
  }
  fail(ErrorKind::unsupported, "model",
       "{}: activation '{}' is not supported: expected Identity, Tanh, ReLU or GELU", file.string(),
       name);
}

SentenceDense read_dense(const fs::path& folder) {
  const fs::path file = folder / "config.json";
  const json config = parse_object(file);
  SentenceDense dense;
  dense.activation = read_activation(config, file);
  const fs::path safe = folder / "model.safetensors";
  const MappedTensors weights = fs::exists(safe) ? SafetensorsFile::open(safe, Access::whole)
                                                 : MappedTensors::open_torch_checkpoint(
                                                       folder / "pytorch_model.bin", Access::whole);
  dense.weight_ED = weights.tensor("linear.weight").to(torch::kFloat);
  require(dense.weight_ED.dim() == 2, ErrorKind::checkpoint, "model",
          "{}: 'linear.weight' is no matrix", folder.string());
  if (find_value<bool>(config, "bias", file).value_or(true)) {
    dense.bias_E = weights.tensor("linear.bias").to(torch::kFloat);
    require(dense.bias_E.dim() == 1 && dense.bias_E.size(0) == dense.weight_ED.size(0),
            ErrorKind::checkpoint, "model", "{}: 'linear.bias' does not fit 'linear.weight'",
            folder.string());
  }
  return dense;
}

void read_length(const fs::path& file, SentenceDirectory& sentence) {
  if (!fs::exists(file)) return;
  const int64_t length =
      find_value<int64_t>(parse_object(file), "max_seq_length", file).value_or(0);
  require(length >= 0, ErrorKind::checkpoint, "model", "{}: max_seq_length is {}", file.string(),
          length);
  sentence.max_length = length;
}

void read_prompts(const fs::path& file, SentenceDirectory& sentence) {
  if (!fs::exists(file)) return;
  const json config = parse_object(file);
  if (const auto prompts = config.find("prompts"); prompts != config.end() && !prompts->is_null()) {
    require(prompts->is_object(), ErrorKind::checkpoint, "model", "{}: prompts is no object",
            file.string());
    for (const auto& [name, text] : prompts->items()) {
      require(text.is_string(), ErrorKind::checkpoint, "model", "{}: the prompt '{}' is no text",
              file.string(), name);
      sentence.prompts[name] = text.get<std::string>();
    }
  }
  sentence.default_prompt =
      find_value<std::string>(config, "default_prompt_name", file).value_or("");
  require(sentence.default_prompt.empty() || sentence.prompts.contains(sentence.default_prompt),
          ErrorKind::checkpoint, "model", "{}: there is no prompt '{}'", file.string(),
          sentence.default_prompt);
}

}  // namespace

int64_t SentenceDirectory::width(int64_t hidden) const {
  return dense.empty() ? hidden : dense.back().weight_ED.size(0);
}

void SentenceDirectory::check_width(int64_t hidden) const {
  int64_t width = hidden;
  for (const SentenceDense& layer : dense) {
    require(layer.weight_ED.size(1) == width, ErrorKind::checkpoint, "model",
            "{}: a dense layer takes {} numbers, {} come", encoder.string(),
            layer.weight_ED.size(1), width);
    width = layer.weight_ED.size(0);
  }
}

std::string SentenceDirectory::prompt(const std::string& name) const {
  if (name.empty()) return {};
  const auto found = prompts.find(name);
  if (found != prompts.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, text] : prompts) names.push_back(known);
  fail(ErrorKind::config, "embed", "there is no prompt '{}': the model has {}{}", name,
       names.empty() ? "none" : join(names, ", "), did_you_mean(name, names));
}

Tensor SentenceDirectory::finish(const Tensor& pooled_BD) const {
  Tensor x_BD = pooled_BD;
  for (const SentenceDense& layer : dense) {
    const Tensor bias = layer.bias_E.defined() ? layer.bias_E.to(x_BD.options()) : Tensor();
    x_BD =
        nn::activate(at::linear(x_BD, layer.weight_ED.to(x_BD.options()), bias), layer.activation);
  }
  return normalize ? unit_rows(x_BD) : x_BD;
}

SentenceDirectory read_sentence_directory(const fs::path& directory) {
  SentenceDirectory sentence;
  sentence.encoder = directory;
  if (!fs::exists(directory / "modules.json")) return sentence;
  const std::vector<SentenceModule> modules = read_modules(directory);
  require(modules[0].kind == "Transformer", ErrorKind::unsupported, "model",
          "{}: the first module is a {}, a Transformer was expected",
          (directory / "modules.json").string(), modules[0].kind);
  sentence.encoder = modules[0].folder;
  read_length(modules[0].folder / "sentence_bert_config.json", sentence);
  read_prompts(directory / "config_sentence_transformers.json", sentence);
  for (size_t i = 1; i < modules.size(); ++i) {
    const SentenceModule& module = modules[i];
    // In the order in which they are built: pooling, dense layers, the norm.
    require(!sentence.normalize && (module.kind == "Pooling") == (i == 1), ErrorKind::unsupported,
            "model", "{}: a {} stands where none was expected",
            (directory / "modules.json").string(), module.kind);
    if (module.kind == "Pooling") {
      sentence.pooling = read_pooling(module.folder);
    } else if (module.kind == "Dense") {
      sentence.dense.push_back(read_dense(module.folder));
    } else if (module.kind == "Normalize") {
      sentence.normalize = true;
    } else {
      fail(ErrorKind::unsupported, "model", "{}: module {} is not supported",
           (directory / "modules.json").string(), module.kind);
    }
  }
  return sentence;
}

}  // namespace tenfold::model

// Reading and writing the state of a run.
// Not here: folders and their manifests (checkpoint_store.h).
#include "train/run_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "support/fail.h"
#include "support/files.h"
#include "tensor/safetensors_tensors.h"

namespace tenfold::train {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
constexpr const char* kStateFile = "trainer_state.json";
constexpr uint64_t kMaxStateBytes = 64 << 20;

/// Keys that a resumed run may change: they alter neither weights nor data, but for the rounding of
/// another device.
constexpr std::array<std::string_view, 7> kFreeKeys{
    "train.attention_metrics", "train.keep_last", "train.save_every", "train.tensorboard",
    "train.max_seconds",       "train.device",    "train.share_cores"};

/// JSON has no NaN and no infinities: they are written as texts.
json from_double(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double to_double(const json& value) {
  if (value.is_number()) return value.get<double>();
  const std::string text = value.get<std::string>();
  return text == "nan" ? std::nan("") : text == "inf" ? HUGE_VAL : -HUGE_VAL;
}

json from_metrics(const Metrics& metrics) {
  json object = json::object();
  for (const auto& [name, value] : metrics) object[name] = from_double(value);
  return object;
}

Metrics to_metrics(const json& object) {
  Metrics metrics;
  for (const auto& [name, value] : object.items()) metrics[name] = to_double(value);
  return metrics;
}

json from_window(const LogWindow& window) {
  return {{"updates", window.updates},
          {"tokens", window.tokens},
          {"seconds", window.seconds},
          {"loss", from_double(window.loss)},
          {"grad_norm", from_double(window.gradient_norm)},
          {"parts", from_metrics(window.parts)},
          {"counts", from_metrics(window.counts)}};
}

LogWindow to_window(const json& object) {
  return {.updates = object.at("updates"),
          .tokens = object.at("tokens"),
          .seconds = object.at("seconds"),
          .loss = to_double(object.at("loss")),
          .gradient_norm = to_double(object.at("grad_norm")),
          .parts = to_metrics(object.at("parts")),
          .counts = to_metrics(object.at("counts"))};
}

RunState to_state(const json& object) {
  RunState state;
  state.step = object.at("step");
  state.epoch = object.at("epoch");
  state.tokens = object.at("tokens");
  state.skipped = object.at("skipped");
  state.skipped_in_row = object.at("skipped_in_row");
  state.seconds = object.at("seconds");
  state.seed = object.at("seed");
  state.position = object.at("data_position");
  state.window = to_window(object.at("log_window"));
  state.best_step = object.at("best_step");
  state.best_validation = to_metrics(object.at("best_validation"));
  state.validated_step = object.at("validated_step");
  state.last_validation = to_metrics(object.at("last_validation"));
  state.stale_validations = object.at("stale_validations");
  state.hooks = object.at("hooks").get<std::map<std::string, std::string>>();
  for (const auto& [path, value] : object.at("config").items())
    state.config.push_back({path, value});
  return state;
}

}  // namespace

void LogWindow::add(const StepReport& report) {
  tokens += report.tokens;
  if (!report.applied) return;
  ++updates;
  loss += report.loss;
  gradient_norm += report.gradient_norm;
  for (const auto& [name, value] : report.parts) parts[name] += value;
  for (const auto& [name, value] : report.counts) counts[name] += value;
}

StepReport LogWindow::mean(const StepReport& last) const {
  StepReport mean = last;
  const auto count = static_cast<double>(updates);
  mean.loss = loss / count;  // no applied update at all: not a number, written as null
  mean.gradient_norm = gradient_norm / count;
  mean.parts = parts;
  for (auto& [name, value] : mean.parts) value /= count;
  mean.counts = counts;
  return mean;
}

void write_run_state(const std::filesystem::path& folder, const RunState& state) {
  ordered_json object;
  object["step"] = state.step;
  object["epoch"] = state.epoch;
  object["tokens"] = state.tokens;
  object["skipped"] = state.skipped;
  object["skipped_in_row"] = state.skipped_in_row;
  object["seconds"] = state.seconds;
  object["seed"] = state.seed;
  object["data_position"] = state.position;
  object["log_window"] = from_window(state.window);
  object["best_step"] = state.best_step;
  object["best_validation"] = from_metrics(state.best_validation);
  object["validated_step"] = state.validated_step;
  object["last_validation"] = from_metrics(state.last_validation);
  object["stale_validations"] = state.stale_validations;
  object["hooks"] = state.hooks;
  ordered_json config = ordered_json::object();
  for (const config::FlatField& field : state.config) config[field.path] = field.value;
  object["config"] = std::move(config);
  write_file_atomically(folder / kStateFile, object.dump(1) + "\n");
}

RunState read_run_state(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kStateFile;
  const std::string text = read_file(path, kMaxStateBytes, ErrorKind::checkpoint);
  try {
    return to_state(json::parse(text));
  } catch (const json::exception& error) {
    fail(ErrorKind::checkpoint, "resume", "{} is not a training state: {}", path.string(),
         error.what());
  }
}

void write_state_tensors(const std::filesystem::path& folder, const char* file,
                         const TensorsByName& state) {
  write_safetensors(folder / file, NamedTensors(state.begin(), state.end()));
}

TensorsByName read_state_tensors(const std::filesystem::path& folder, const char* file) {
  const SafetensorsFile tensors = SafetensorsFile::open(folder / file);
  TensorsByName state;
  for (const TensorEntry& entry : tensors.entries())
    state.emplace(entry.name, tensors.tensor(entry.name));
  return state;
}

void refuse_changed_config(const std::vector<config::FlatField>& before,
                           const std::vector<config::FlatField>& now) {
  for (const config::Difference& change : config::difference(before, now)) {
    if (std::find(kFreeKeys.begin(), kFreeKeys.end(), change.path) != kFreeKeys.end()) continue;
    fail(ErrorKind::config, "resume",
         "{} was {} when the run began and is {} now; set it back, or start a new run", change.path,
         change.before.empty() ? "not set" : change.before,
         change.after.empty() ? "not set" : change.after);
  }
}

}  // namespace tenfold::train

// Records as JSON.
// Not here: which folder is whose.
#include "study/run_record.h"

#include <array>
#include <nlohmann/json.hpp>

#include "support/files.h"
#include "support/json.h"

namespace tenfold::study {
namespace {

constexpr uint64_t kLongestRecord = 16 << 20;
constexpr std::array<const char*, 5> kStateNames = {"planned", "stopped", "failed", "left out",
                                                    "finished"};

std::filesystem::path record_file(const std::filesystem::path& folder) {
  return folder / "run.json";
}

double number_or_zero(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string text_or_empty(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string name_of(State state) { return kStateNames.at(static_cast<size_t>(state)); }

nlohmann::ordered_json json_of(const RunRecord& record) {
  return {{"hash", record.hash},
          {"state", name_of(record.state)},
          {"error", record.error},
          {"metrics", record.metrics},
          {"steps", record.steps},
          {"tokens", record.tokens},
          {"flops", record.flops},
          {"cpu_seconds", record.cpu_seconds},
          {"wall_seconds", record.wall_seconds}};
}

void write_record(const std::filesystem::path& folder, const RunRecord& record) {
  write_file_atomically(
      record_file(folder),
      json_of(record).dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

RunRecord read_record(const std::filesystem::path& folder) {
  RunRecord record;
  record.folder = folder;
  std::error_code missing;
  if (!std::filesystem::is_regular_file(record_file(folder), missing)) return record;
  const auto json = try_parse_json(read_file(record_file(folder), kLongestRecord)).value;
  if (!json.is_object()) return record;
  record.hash = text_or_empty(json, "hash");
  const std::string state = text_or_empty(json, "state");
  for (size_t s = 0; s < kStateNames.size(); ++s) {
    if (state == kStateNames[s]) record.state = static_cast<State>(s);
  }
  record.error = text_or_empty(json, "error");
  if (const auto metrics = json.find("metrics"); metrics != json.end() && metrics->is_object()) {
    for (const auto& [name, value] : metrics->items()) {
      if (value.is_number()) record.metrics[name] = value.get<double>();
    }
  }
  record.steps = static_cast<int64_t>(number_or_zero(json, "steps"));
  record.tokens = number_or_zero(json, "tokens");
  record.flops = number_or_zero(json, "flops");
  record.cpu_seconds = number_or_zero(json, "cpu_seconds");
  record.wall_seconds = number_or_zero(json, "wall_seconds");
  return record;
}

}  // namespace tenfold::study

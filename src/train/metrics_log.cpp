// Writing and cutting metrics.jsonl.
// Not here: what is measured.
#include "train/metrics_log.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tenfold::train {
namespace {

/// Bytes of the leading whole lines that belong to steps up to `keep_step`. Error{run} where the
/// file cannot be read: what follows them is cut off, so that a failure must not look like an end.
uint64_t bytes_to_keep(const std::filesystem::path& path, int64_t keep_step) {
  if (!std::filesystem::exists(path)) return 0;
  const MappedFile file(path, Access::sequential, ErrorKind::run);
  uint64_t kept = 0;
  for (size_t end = file.text().find('\n'); end != std::string_view::npos;
       end = file.text().find('\n', kept)) {
    const std::string_view line = file.text().substr(kept, end - kept);
    const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const bool known =
        object.is_object() && object.contains("step") && object["step"].is_number_integer();
    if (!known || object["step"].get<int64_t>() > keep_step) break;
    kept += line.size() + 1;
  }
  return kept;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, int64_t keep_step)
    : file_(std::make_unique<AppendFile>(path, bytes_to_keep(path, keep_step))) {}

void MetricsLog::step(const StepLine& line) {
  nlohmann::ordered_json object;
  object["step"] = line.mean.step;
  object["epoch"] = line.mean.epoch;
  object["tokens"] = line.tokens;
  object["loss"] = line.mean.loss;
  object["parts"] = line.mean.parts;
  if (!line.mean.counts.empty()) object["counts"] = line.mean.counts;
  object["learning_rate"] = line.mean.learning_rate;
  object["grad_norm"] = line.mean.gradient_norm;
  object["skipped"] = line.skipped;
  object["tokens_per_second"] = line.tokens_per_second;
  object["seconds"] = line.seconds;
  file_->append(object.dump() + "\n");
}

void MetricsLog::validation(int64_t step, double seconds, const Metrics& metrics) {
  nlohmann::ordered_json object;
  object["step"] = step;
  object["eval"] = metrics;
  object["seconds"] = seconds;
  file_->append(object.dump() + "\n");
}

}  // namespace tenfold::train

// RUN/run.json: what a run of a study came to, so that it need not be made twice.
// Not here: the trainer's own files in the same folder, or making runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tenfold::study {

enum class State : uint8_t {
  planned,   ///< nothing was done yet
  stopped,   ///< a signal ended it; it can go on
  failed,    ///< see `error`
  left_out,  ///< not begun; see `error`
  finished,
};
std::string name_of(State state);

struct RunRecord {
  std::string hash = {};
  State state = State::planned;
  std::string error = {};                      ///< one line: why it failed or was left out
  std::map<std::string, double> metrics = {};  ///< of the test data, or of the held-out text
  int64_t steps = 0;
  double tokens = 0, flops = 0;
  double cpu_seconds = 0, wall_seconds = 0;  ///< over all lives of the run, measuring included
  std::filesystem::path folder = {};         ///< where it lies
  bool reused = false;  ///< it was there before this command began, here or in another study
};

/// What run.json and results.json say of a run: all but its place and whether it was there before.
nlohmann::ordered_json json_of(const RunRecord& record);

/// Writes RUN/run.json.
void write_record(const std::filesystem::path& folder, const RunRecord& record);

/// The record in a folder; none (State::planned) where there is no run.json or it is damaged.
RunRecord read_record(const std::filesystem::path& folder);

}  // namespace tenfold::study

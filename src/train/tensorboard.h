// TensorBoard's event files, written by hand: TFRecord frames around a few protobuf fields.
// Not here: reading them, or anything but scalars.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "support/files.h"

namespace tenfold::train {

/// One TFRecord: u64 length, its masked CRC-32C, the payload, its masked CRC-32C; little-endian.
std::string tfrecord(std::string_view payload);

/// The bytes of one tensorflow.Event message.
std::string version_event(double wall_time);
std::string scalar_event(double wall_time, int64_t step, std::string_view tag, float value);
/// Tells readers that steps from `step` on are written anew (a resumed run).
std::string restart_event(double wall_time, int64_t step);

/// A new file FOLDER/events.out.tfevents.<unix seconds>.<host>.<pid>; every scalar is in it when
/// the call returns.
class EventWriter {
 public:
  /// `first_step` > 0: a resumed run, whose older files may hold later steps.
  EventWriter(const std::filesystem::path& folder, int64_t first_step);
  void scalar(std::string_view tag, double value, int64_t step);
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<AppendFile> file_;
};

}  // namespace tenfold::train

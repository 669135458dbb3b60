// Encoding of event records.
// Not here: a general protobuf writer (only the five fields used).
#include "train/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>

#include "support/crc32c.h"

namespace tenfold::train {
namespace {

// Field numbers of tensorflow.Event, Summary, Summary.Value and SessionLog.
constexpr uint32_t kEventWallTime = 1, kEventStep = 2, kEventVersion = 3, kEventSummary = 5,
                   kEventSession = 7;
constexpr uint32_t kSummaryValue = 1, kValueTag = 1, kValueSimple = 2;
constexpr uint32_t kSessionStatus = 1, kSessionStart = 1;
constexpr uint32_t kWireVarint = 0, kWireFixed64 = 1, kWireBytes = 2, kWireFixed32 = 5;

template <typename Unsigned>
void put_little_endian(std::string& out, Unsigned value) {
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    out.push_back(static_cast<char>(value & 0xFF));
    value = static_cast<Unsigned>(value >> 8);
  }
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7F) | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_key(std::string& out, uint32_t field, uint32_t wire) {
  put_varint(out, field << 3 | wire);
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_key(out, field, kWireBytes);
  put_varint(out, bytes.size());
  out.append(bytes);
}

std::string event_header(double wall_time, int64_t step) {
  std::string event;
  put_key(event, kEventWallTime, kWireFixed64);
  put_little_endian(event, std::bit_cast<uint64_t>(wall_time));
  put_key(event, kEventStep, kWireVarint);
  put_varint(event, static_cast<uint64_t>(step));
  return event;
}

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

std::string tfrecord(std::string_view payload) {
  std::string frame;
  put_little_endian(frame, static_cast<uint64_t>(payload.size()));
  put_little_endian(frame, masked_crc32c(frame));
  frame.append(payload);
  put_little_endian(frame, masked_crc32c(payload));
  return frame;
}

std::string version_event(double wall_time) {
  std::string event = event_header(wall_time, 0);
  put_bytes(event, kEventVersion, "brain.Event:2");
  return event;
}

std::string scalar_event(double wall_time, int64_t step, std::string_view tag, float value) {
  std::string entry;
  put_bytes(entry, kValueTag, tag);
  put_key(entry, kValueSimple, kWireFixed32);
  put_little_endian(entry, std::bit_cast<uint32_t>(value));
  std::string summary;
  put_bytes(summary, kSummaryValue, entry);
  std::string event = event_header(wall_time, step);
  put_bytes(event, kEventSummary, summary);
  return event;
}

std::string restart_event(double wall_time, int64_t step) {
  std::string session;
  put_key(session, kSessionStatus, kWireVarint);
  put_varint(session, kSessionStart);
  std::string event = event_header(wall_time, step);
  put_bytes(event, kEventSession, session);
  return event;
}

EventWriter::EventWriter(const std::filesystem::path& folder, int64_t first_step) {
  const double now = unix_seconds();
  path_ = folder / fmt::format("events.out.tfevents.{}.{}.{}", static_cast<int64_t>(now),
                               host_name(), getpid());
  file_ = std::make_unique<AppendFile>(path_);
  file_->append(tfrecord(version_event(now)));
  if (first_step > 0) file_->append(tfrecord(restart_event(now, first_step)));
}

void EventWriter::scalar(std::string_view tag, double value, int64_t step) {
  file_->append(tfrecord(scalar_event(unix_seconds(), step, tag, static_cast<float>(value))));
}

}  // namespace tenfold::train

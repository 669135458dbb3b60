// TensorBoard files, decoded frame by frame as a reader does.
// Not here: TensorBoard itself.
#include "train/tensorboard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "support/crc32c.h"
#include "train/toy.h"

namespace tenfold::train {
namespace {

template <typename T>
T number_at(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Payloads of all frames; fails where a length or checksum does not hold.
std::vector<std::string> payloads(std::string_view file) {
  std::vector<std::string> found;
  while (!file.empty()) {
    EXPECT_GE(file.size(), 16u);
    const auto length = number_at<uint64_t>(file, 0);
    EXPECT_EQ(number_at<uint32_t>(file, 8), masked_crc32c(file.substr(0, 8)));
    const std::string_view payload = file.substr(12, length);
    EXPECT_EQ(number_at<uint32_t>(file, 12 + length), masked_crc32c(payload));
    found.emplace_back(payload);
    file.remove_prefix(16 + length);
  }
  return found;
}

TEST(TensorBoard, WritesTheVersionThenScalars) {
  testing::ScratchFolder folder;
  EventWriter writer(folder.path(), 0);
  writer.scalar("train/loss", 2.5, 300);
  const std::string name = writer.path().filename().string();
  EXPECT_TRUE(name.starts_with("events.out.tfevents.")) << name;
  EXPECT_TRUE(name.ends_with("." + std::to_string(getpid()))) << name;
  const auto events = payloads(read_file(writer.path(), 1 << 20));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_NE(events[0].find("\x1A\x0D"
                           "brain.Event:2"),
            std::string::npos);

  // wall_time: key 0x09 and 8 bytes; step 300: key 0x10, varint AC 02; summary: key 0x2A.
  const std::string& scalar = events[1];
  EXPECT_EQ(scalar[0], '\x09');
  EXPECT_GT(number_at<double>(scalar, 1), 1.6e9);
  EXPECT_EQ(scalar.substr(9, 3), "\x10\xAC\x02");
  EXPECT_EQ(scalar.substr(12), std::string("\x2A\x13\x0A\x11\x0A\x0A"
                                           "train/loss"
                                           "\x15\x00\x00\x20\x40",
                                           21));
}

TEST(TensorBoard, AResumedRunMarksWhereItBegins) {
  testing::ScratchFolder folder;
  EventWriter writer(folder.path(), 11);
  const auto events = payloads(read_file(writer.path(), 1 << 20));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1].substr(9), std::string("\x10\x0B\x3A\x02\x08\x01", 6));
}

}  // namespace
}  // namespace tenfold::train

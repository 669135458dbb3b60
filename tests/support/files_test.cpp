// Files on a real file system, in a folder of their own.
// Not here: failing system calls; those need a shim under the whole program.
#include "support/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/checksum.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / ("tenfold_files_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Files() override { fs::remove_all(folder_); }

  fs::path at(const std::string& name) const { return folder_ / name; }
  size_t entries() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

template <typename Call>
std::string message_of(Call call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "no error";
}

TEST_F(Files, AtomicFileShowsNothingUntilCommitted) {
  write_file_atomically(at("a"), "old");
  {
    AtomicFile file(at("a"));
    file.write("new ");
    file.write(std::string(3 << 20, 'x'));
    EXPECT_EQ(file.written(), 4u + (3 << 20));
    EXPECT_EQ(read_file(at("a"), 100), "old");
    EXPECT_EQ(entries(), 2u);
    file.commit();
  }
  EXPECT_EQ(read_file(at("a"), 10 << 20), "new " + std::string(3 << 20, 'x'));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(Files, AtomicFileWritesItsStartAgainWhereverItIs) {
  AtomicFile file(at("a"));
  file.write("count=?;");
  const std::string rows(3 << 20, 'r');
  file.write(rows);
  file.rewrite_start("count=3;");
  file.write("end");
  file.commit();
  EXPECT_EQ(read_file(at("a"), 4 << 20), "count=3;" + rows + "end");
}

TEST_F(Files, AtomicFileLeavesNothingWithoutCommit) {
  { AtomicFile(at("a")).write("x"); }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(Files, ErrorsNamePathAndReason) {
  const auto missing = [&] { read_file(at("missing"), 1); };
  EXPECT_THAT(message_of(missing, ErrorKind::data),
              HasSubstr("missing: No such file or directory"));
  const auto folder = [&] { read_file(folder_, 1); };
  EXPECT_THAT(message_of(folder, ErrorKind::data), HasSubstr("is not a regular file"));
  write_file_atomically(at("big"), "12345");
  const auto big = [&] { read_file(at("big"), 4, ErrorKind::checkpoint); };
  EXPECT_THAT(message_of(big, ErrorKind::checkpoint),
              HasSubstr("has 5 bytes, more than the 4 allowed here"));
  const auto nowhere = [&] { write_file_atomically(at("no/where"), "x"); };
  EXPECT_THAT(message_of(nowhere, ErrorKind::run),
              HasSubstr("no/where: No such file or directory"));
  const auto blocked = [&] { tenfold::create_directories(at("big") / "below"); };
  EXPECT_THAT(message_of(blocked, ErrorKind::run), HasSubstr("cannot create the folder"));
  EXPECT_THAT(message_of([&] { tenfold::create_directories(at("big")); }, ErrorKind::run),
              HasSubstr("Not a directory"));
}

TEST_F(Files, MappedFileGivesTheBytesAndSurvivesMoves) {
  write_file_atomically(at("a"), "bytes");
  MappedFile file(at("a"));
  EXPECT_EQ(file.text(), "bytes");
  MappedFile moved(std::move(file));
  EXPECT_EQ(moved.text(), "bytes");
  write_file_atomically(at("empty"), "");
  moved = MappedFile(at("empty"));
  EXPECT_EQ(moved.size(), 0u);
}

TEST_F(Files, AppendFileCutsWhatFollowsTheCheckpoint) {
  { AppendFile(at("log")).append("one\ntwo\n"); }
  AppendFile log(at("log"), 4);
  log.append("three\n");
  log.sync();
  EXPECT_EQ(log.size(), 10u);
  EXPECT_EQ(read_file(at("log"), 100), "one\nthree\n");
  EXPECT_THAT(message_of([&] { AppendFile(at("log"), 11); }, ErrorKind::run),
              HasSubstr("fewer than the 11 to keep"));
}

TEST_F(Files, ALockIsHeldByOne) {
  const FileLock lock(at("lock"));
  EXPECT_THAT(message_of([&] { FileLock(at("lock")); }, ErrorKind::run),
              HasSubstr("in use by another process"));
}

TEST_F(Files, LinksMoveInOneStep) {
  tenfold::create_directories(at("one"));
  tenfold::create_directories(at("two"));
  point_link(at("latest"), "one");
  point_link(at("latest"), "two");
  EXPECT_EQ(fs::read_symlink(at("latest")), "two");
  EXPECT_EQ(entries(), 3u);
  rename_durably(at("one"), at("three"));
  EXPECT_TRUE(fs::exists(at("three")));
  tenfold::remove_all(at("three"));
  tenfold::remove_all(at("three"));
  EXPECT_FALSE(fs::exists(at("three")));
}

TEST_F(Files, ANameWithoutAFolderMeansTheWorkingFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  write_file_atomically("plain", "x");
  fs::current_path(before);
  EXPECT_EQ(read_file(at("plain"), 10), "x");
}

TEST_F(Files, AFullDiskIsOneClearError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  AppendFile full("/dev/full");
  EXPECT_THAT(message_of([&] { full.append("x"); }, ErrorKind::run),
              HasSubstr("No space left on device"));
}

// Values of xxhsum 0.8 for these inputs.
TEST_F(Files, ChecksumsAreThePublishedOnes) {
  EXPECT_EQ(xxh3_64(""), 0x2D06800538D394C2u);
  EXPECT_EQ(xxh3_128("").hex(), "99aa06d3014798d86001c324468d497f");
  Hasher128 hasher;
  hasher.add("ab");
  hasher.add("c");
  EXPECT_EQ(hasher.digest(), xxh3_128("abc"));
  write_file_atomically(at("abc"), "abc");
  EXPECT_EQ(hash_file(at("abc")), xxh3_128("abc"));
}

}  // namespace
}  // namespace tenfold

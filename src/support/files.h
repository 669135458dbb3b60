// Files that are read whole, mapped or written so that a reader sees all or nothing.
// Not here: formats, compression, or which files a run keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "tenfold/error.h"

namespace tenfold {

/// Bytes of a text, for interfaces that take bytes.
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Text over bytes, without a copy.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The whole file. Error{kind} naming the path where it is missing, no regular file, or longer than
/// `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes,
                      ErrorKind kind = ErrorKind::data);

enum class Access {
  sequential,
  random,
  whole  ///< all of it soon: mapped at once; what the process writes into it stays its own
};

/// A file mapped for reading (Access::whole: writable, never back to the file). Movable; the bytes
/// stay at their place while it lives, and may be read by many threads. A file that another process
/// shortens meanwhile ends the process (SIGBUS), as with every mapping.
class MappedFile {
 public:
  /// Error{kind} naming the path and the reason. An empty file gives no bytes.
  explicit MappedFile(const std::filesystem::path& path, Access access = Access::random,
                      ErrorKind kind = ErrorKind::data);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  std::string_view text() const { return as_text(bytes()); }
  size_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// A file that appears complete or not at all: written under a temporary name in the same folder,
/// then fsynced and renamed by commit(). Destroyed before commit(), it leaves nothing. All failures
/// are Error{run} with path and reason; after one the object only serves to be destroyed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(as_bytes(text)); }

  /// Writes over the first bytes, as many as are given; they were written before.
  void rewrite_start(std::string_view text);

  /// Bytes given to write() so far.
  uint64_t written() const { return written_; }

  /// Makes the file durable and visible under its name, over an older one. Call once, last.
  void commit();

 private:
  void flush();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::string buffer_;
  uint64_t written_ = 0;
  int fd_ = -1;
};

/// One AtomicFile, written and committed.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// A log that grows by whole records: each append() is one write to the end of the file. Error{run}
/// on failure.
class AppendFile {
 public:
  /// Opens or makes the file; what lies behind `keep_bytes` is cut off (a resumed run drops what
  /// followed its checkpoint). Error{run} where the file is shorter than that.
  explicit AppendFile(std::filesystem::path path, uint64_t keep_bytes = UINT64_MAX);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void append(std::string_view record);
  void sync();

  /// Length of the file.
  uint64_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  uint64_t size_ = 0;
  int fd_ = -1;
};

/// An exclusive lock on a file, made if missing, held until destruction or the death of the
/// process.
class FileLock {
 public:
  /// Error{run} "... is in use by another process" where another one holds it; never waits.
  explicit FileLock(std::filesystem::path path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

/// The folder and its parents. Error{run} naming the path. Write the name qualified, as for
/// remove_all: std::filesystem has functions of these names too.
void create_directories(const std::filesystem::path& path);

/// Makes the names in a folder durable (fsync of the folder). Error{run}.
void sync_directory(const std::filesystem::path& path);

/// rename(2) of a file or folder, then sync_directory of the new parent. Error{run}.
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes `link` a symbolic link to `target` (a name relative to the link's folder), replacing an
/// older link in one step. Error{run}.
void point_link(const std::filesystem::path& link, const std::filesystem::path& target);

/// Removes a file or a whole folder; nothing there is no error. Error{run}.
void remove_all(const std::filesystem::path& path);

}  // namespace tenfold

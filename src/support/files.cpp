// POSIX files: read, map, write atomically, append, lock. Every call that may be interrupted is
// repeated. Not here: std::fstream, whose failures carry no reason.
#include "support/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "support/fail.h"

namespace tenfold {
namespace {

constexpr size_t kWriteBuffer = 1 << 20;

// The call's result, repeated while signals interrupt it.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

[[noreturn]] void fail_file(ErrorKind kind, const std::filesystem::path& path,
                            std::string_view verb) {
  const int reason = errno;
  fail(kind, "files", "cannot {} {}: {}", verb, path.string(), std::strerror(reason));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

int open_readable(const std::filesystem::path& path, ErrorKind kind, uint64_t& size) {
  const int fd = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (fd < 0) fail_file(kind, path, "open");
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    const int reason = errno;
    ::close(fd);
    errno = reason;
    fail_file(kind, path, "read");
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd);
    fail(kind, "files", "{} is not a regular file", path.string());
  }
  size = static_cast<uint64_t>(status.st_size);
  return fd;
}

void write_all(int fd, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t count = uninterrupted([&] { return ::write(fd, text.data(), text.size()); });
    if (count < 0) fail_file(ErrorKind::run, path, "write");
    text.remove_prefix(static_cast<size_t>(count));
  }
}

void sync_file(int fd, const std::filesystem::path& path) {
  if (uninterrupted([&] { return ::fsync(fd); }) != 0) fail_file(ErrorKind::run, path, "sync");
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  const auto parent = path.parent_path();
  return parent.empty() ? std::filesystem::path(".") : parent;
}

// A name beside `path` that no other process or thread of this one uses.
std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  static std::atomic<uint64_t> count{0};
  return folder_of(path) /
         fmt::format(".{}.{}-{}.tmp", path.filename().string(), ::getpid(), count.fetch_add(1));
}

void rename_or_fail(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (uninterrupted([&] { return ::rename(from.c_str(), to.c_str()); }) != 0) {
    const int reason = errno;
    fail(ErrorKind::run, "files", "cannot rename {} to {}: {}", from.string(), to.string(),
         std::strerror(reason));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes, ErrorKind kind) {
  uint64_t size = 0;
  const Descriptor file(open_readable(path, kind, size));
  if (size > max_bytes) {
    fail(kind, "files", "{} has {} bytes, more than the {} allowed here", path.string(), size,
         max_bytes);
  }
  std::string text(size, '\0');
  size_t at = 0;
  while (at < text.size()) {
    const ssize_t count =
        uninterrupted([&] { return ::read(file.get(), text.data() + at, text.size() - at); });
    if (count < 0) fail_file(kind, path, "read");
    if (count == 0) break;
    at += static_cast<size_t>(count);
  }
  text.resize(at);
  return text;
}

MappedFile::MappedFile(const std::filesystem::path& path, Access access, ErrorKind kind)
    : path_(path) {
  uint64_t size = 0;
  const Descriptor file(open_readable(path, kind, size));
  if (size == 0) return;
  const int populate = access == Access::whole ? MAP_POPULATE : 0;
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | populate, file.get(), 0);
  if (data == MAP_FAILED) fail_file(kind, path, "map");
  // Writable only now: populating a writable private mapping would copy every page.
  if (access == Access::whole) ::mprotect(data, size, PROT_READ | PROT_WRITE);
  if (access == Access::sequential) ::madvise(data, size, MADV_SEQUENTIAL);
  data_ = static_cast<const std::byte*>(data);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_beside(path_)) {
  fd_ = uninterrupted(
      [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); });
  if (fd_ < 0) fail_file(ErrorKind::run, path_, "create");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  written_ += bytes.size();
  if (buffer_.size() + bytes.size() < kWriteBuffer) {
    buffer_ += as_text(bytes);
    return;
  }
  flush();
  write_all(fd_, as_text(bytes), path_);
}

void AtomicFile::flush() {
  write_all(fd_, buffer_, path_);
  buffer_.clear();
}

void AtomicFile::rewrite_start(std::string_view text) {
  flush();
  if (::lseek(fd_, 0, SEEK_SET) != 0) fail_file(ErrorKind::run, path_, "go to the start of");
  write_all(fd_, text, path_);
  if (::lseek(fd_, 0, SEEK_END) < 0) fail_file(ErrorKind::run, path_, "go to the end of");
}

void AtomicFile::commit() {
  flush();
  sync_file(fd_, path_);
  // After a successful fsync a failing close loses nothing, and on Linux it must not be repeated.
  ::close(std::exchange(fd_, -1));
  rename_or_fail(temporary_, path_);
  temporary_.clear();
  sync_directory(folder_of(path_));
}

void write_file_atomically(const std::filesystem::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

AppendFile::AppendFile(std::filesystem::path path, uint64_t keep_bytes) : path_(std::move(path)) {
  const int fd = uninterrupted(
      [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666); });
  if (fd < 0) fail_file(ErrorKind::run, path_, "open");
  fd_ = fd;
  try {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail_file(ErrorKind::run, path_, "read");
    size_ = static_cast<uint64_t>(status.st_size);
    if (keep_bytes == UINT64_MAX) return;
    require(size_ >= keep_bytes, ErrorKind::run, "files",
            "{} has {} bytes, fewer than the {} to keep", path_.string(), size_, keep_bytes);
    if (uninterrupted([&] { return ::ftruncate(fd_, static_cast<off_t>(keep_bytes)); }) != 0) {
      fail_file(ErrorKind::run, path_, "shorten");
    }
    size_ = keep_bytes;
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

AppendFile::~AppendFile() { ::close(fd_); }

void AppendFile::append(std::string_view record) {
  write_all(fd_, record, path_);
  size_ += record.size();
}

void AppendFile::sync() { sync_file(fd_, path_); }

FileLock::FileLock(std::filesystem::path path) {
  fd_ = uninterrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666); });
  if (fd_ < 0) fail_file(ErrorKind::run, path, "open");
  if (uninterrupted([&] { return ::flock(fd_, LOCK_EX | LOCK_NB); }) == 0) return;
  const int reason = errno;
  ::close(fd_);
  require(reason != EWOULDBLOCK, ErrorKind::run, "files", "{} is in use by another process",
          folder_of(path).string());
  errno = reason;
  fail_file(ErrorKind::run, path, "lock");
}

FileLock::~FileLock() { ::close(fd_); }

void create_directories(const std::filesystem::path& path) {
  std::error_code error;
  do {
    std::filesystem::create_directories(path, error);
  } while (error == std::errc::interrupted);
  if (!error && !std::filesystem::is_directory(path, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  require(!error, ErrorKind::run, "files", "cannot create the folder {}: {}", path.string(),
          error.message());
}

void sync_directory(const std::filesystem::path& path) {
  const Descriptor folder(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (folder.get() < 0) fail_file(ErrorKind::run, path, "open");
  sync_file(folder.get(), path);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  rename_or_fail(from, to);
  sync_directory(folder_of(to));
}

void point_link(const std::filesystem::path& link, const std::filesystem::path& target) {
  const auto temporary = temporary_beside(link);
  ::unlink(temporary.c_str());
  if (uninterrupted([&] { return ::symlink(target.c_str(), temporary.c_str()); }) != 0)
    fail_file(ErrorKind::run, link, "create the link");
  try {
    rename_durably(temporary, link);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

void remove_all(const std::filesystem::path& path) {
  std::error_code error;
  do {
    std::filesystem::remove_all(path, error);
  } while (error == std::errc::interrupted);
  require(!error, ErrorKind::run, "files", "cannot remove {}: {}", path.string(), error.message());
}

}  // namespace tenfold

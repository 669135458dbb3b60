// Preloaded under a program, or linked before libc, it makes one chosen system call fail:
// TENFOLD_FAULT=CALL:N:HOW, or tenfold_set_fault("CALL:N:HOW"). CALL is open, read, write, fsync,
// rename, ftruncate, symlink, mkdir, unlink, close, flock or any; N counts from 1; HOW is EIO,
// ENOSPC, EINTR, SHORT (half of a write or read) or KILL (SIGKILL right after the call). Only calls
// on files below TENFOLD_FAULT_FOLDER count, where it is set. Not here: any test.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Plan {
  std::string call;
  long number = 0;
  std::string how;
  std::string folder;  // empty: every file
};

std::atomic<long> count{0};

Plan parse(const char* text) {
  Plan p;
  if (const char* folder = std::getenv("TENFOLD_FAULT_FOLDER")) p.folder = folder;
  if (text == nullptr) return p;
  const std::string all = text;
  const size_t first = all.find(':');
  const size_t second = all.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return p;
  p.call = all.substr(0, first);
  p.number = std::strtol(all.c_str() + first + 1, nullptr, 10);
  p.how = all.substr(second + 1);
  return p;
}

Plan& plan() {
  static Plan kPlan = parse(std::getenv("TENFOLD_FAULT"));
  return kPlan;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
  return plan().folder.empty() ||
         std::strncmp(path, plan().folder.c_str(), plan().folder.size()) == 0;
}

// Whether the descriptor's file lies below the folder.
bool is_below(int fd) {
  if (plan().folder.empty()) return true;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof path - 1);
  if (size <= 0) return false;
  path[size] = '\0';
  return is_below(path);
}

// A path, or a name relative to an open folder.
bool is_below(int folder, const char* path) {
  return path[0] == '/' || folder == AT_FDCWD ? is_below(path) : is_below(folder);
}

// Whether this very call is the chosen one.
bool is_chosen(const char* call, bool below) {
  if (plan().number == 0 || !below) return false;
  if (plan().call != call && plan().call != "any") return false;
  return ++count == plan().number;
}

int reason() {
  if (plan().how == "ENOSPC") return ENOSPC;
  if (plan().how == "EINTR") return EINTR;
  return EIO;
}

// The real call, unless it is the chosen one and is to fail.
template <typename Call>
auto with_fault(const char* name, bool below, Call call) -> decltype(call()) {
  if (!is_chosen(name, below)) return call();
  if (plan().how == "KILL") {
    call();
    ::raise(SIGKILL);
  }
  errno = reason();
  return -1;
}

// As above, for calls that may do half of what they are asked.
template <typename Call>
ssize_t with_size(const char* name, int fd, size_t size, Call call) {
  const bool below = is_below(fd);
  if (plan().how == "SHORT") return call(is_chosen(name, below) && size > 1 ? size / 2 : size);
  return with_fault(name, below, [&] { return call(size); });
}

}  // namespace

extern "C" {

/// Another plan, counting anew; an empty text: none.
void tenfold_set_fault(const char* text) {
  plan() = parse(text);
  count = 0;
}
/// Calls of the plan's kind so far.
long tenfold_fault_count() { return count; }

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return with_fault("open", is_below(path),
                    [&] { return real<int(const char*, int, ...)>("open")(path, flags, mode); });
}

int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return with_fault("open", is_below(folder, path), [&] {
    return real<int(int, const char*, int, ...)>("openat")(folder, path, flags, mode);
  });
}

ssize_t write(int fd, const void* data, size_t size) {
  return with_size("write", fd, size, [&](size_t part) {
    return real<ssize_t(int, const void*, size_t)>("write")(fd, data, part);
  });
}

ssize_t read(int fd, void* data, size_t size) {
  return with_size("read", fd, size, [&](size_t part) {
    return real<ssize_t(int, void*, size_t)>("read")(fd, data, part);
  });
}

int fsync(int fd) {
  return with_fault("fsync", is_below(fd), [&] { return real<int(int)>("fsync")(fd); });
}

int rename(const char* from, const char* to) noexcept {
  return with_fault("rename", is_below(to),
                    [&] { return real<int(const char*, const char*)>("rename")(from, to); });
}

int ftruncate(int fd, off_t size) noexcept {
  return with_fault("ftruncate", is_below(fd),
                    [&] { return real<int(int, off_t)>("ftruncate")(fd, size); });
}

int symlink(const char* target, const char* link) noexcept {
  return with_fault("symlink", is_below(link),
                    [&] { return real<int(const char*, const char*)>("symlink")(target, link); });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return with_fault("mkdir", is_below(path),
                    [&] { return real<int(const char*, mode_t)>("mkdir")(path, mode); });
}

int unlink(const char* path) noexcept {
  return with_fault("unlink", is_below(path),
                    [&] { return real<int(const char*)>("unlink")(path); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  return with_fault("unlink", is_below(folder, path), [&] {
    return real<int(int, const char*, int)>("unlinkat")(folder, path, flags);
  });
}

int flock(int fd, int operation) noexcept {
  return with_fault("flock", is_below(fd),
                    [&] { return real<int(int, int)>("flock")(fd, operation); });
}

// Closes always: a file that failed to close is closed all the same.
int close(int fd) {
  const bool chosen = is_chosen("close", plan().number != 0 && is_below(fd));
  const int result = real<int(int)>("close")(fd);
  if (!chosen) return result;
  if (plan().how == "KILL") ::raise(SIGKILL);
  errno = reason();
  return -1;
}

}  // extern "C"

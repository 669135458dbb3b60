// Preloaded under a program, it makes one chosen system call fail: TENFOLD_FAULT=CALL:N:HOW.
// CALL is open, write, fsync, rename, ftruncate, symlink or any; N counts from 1; HOW is EIO,
// ENOSPC, EINTR, SHORT (half of a write) or KILL (SIGKILL right after the call). Not here: any
// test.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

struct Plan {
  std::string call;
  long number = 0;
  std::string how;
};

const Plan& plan() {
  static const Plan kPlan = [] {
    Plan p;
    const char* text = std::getenv("TENFOLD_FAULT");
    if (text == nullptr) return p;
    const std::string all = text;
    const size_t first = all.find(':');
    const size_t second = all.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) return p;
    p.call = all.substr(0, first);
    p.number = std::strtol(all.c_str() + first + 1, nullptr, 10);
    p.how = all.substr(second + 1);
    return p;
  }();
  return kPlan;
}

// Whether this very call is the chosen one.
bool is_chosen(const char* call) {
  static std::atomic<long> count{0};
  if (plan().call != call && plan().call != "any") return false;
  return ++count == plan().number;
}

int reason() {
  if (plan().how == "ENOSPC") return ENOSPC;
  if (plan().how == "EINTR") return EINTR;
  return EIO;
}

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// The real call, unless it is the chosen one and is to fail.
template <typename Call>
auto with_fault(const char* name, Call call) -> decltype(call()) {
  if (!is_chosen(name)) return call();
  if (plan().how == "KILL") {
    call();
    ::raise(SIGKILL);
  }
  errno = reason();
  return -1;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return with_fault("open",
                    [&] { return real<int(const char*, int, ...)>("open")(path, flags, mode); });
}

ssize_t write(int fd, const void* data, size_t size) {
  auto* next = real<ssize_t(int, const void*, size_t)>("write");
  if (plan().how == "SHORT")
    return next(fd, data, is_chosen("write") && size > 1 ? size / 2 : size);
  return with_fault("write", [&] { return next(fd, data, size); });
}

int fsync(int fd) {
  return with_fault("fsync", [&] { return real<int(int)>("fsync")(fd); });
}

int rename(const char* from, const char* to) noexcept {
  return with_fault("rename",
                    [&] { return real<int(const char*, const char*)>("rename")(from, to); });
}

int ftruncate(int fd, off_t size) noexcept {
  return with_fault("ftruncate", [&] { return real<int(int, off_t)>("ftruncate")(fd, size); });
}

int symlink(const char* target, const char* link) noexcept {
  return with_fault("symlink",
                    [&] { return real<int(const char*, const char*)>("symlink")(target, link); });
}

}  // extern "C"

// fork, exec and wait4.
// Not here: who is run.
#include "support/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold {
namespace {

constexpr int kNotExecuted = 127;  // as a shell says it

int open_for_child(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  require(fd >= 0, ErrorKind::run, "process", "{} cannot be opened: {}", path.string(),
          std::strerror(errno));
  return fd;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// Between fork and exec: calls that are safe there, and no way back.
[[noreturn]] void become(const char* program, char* const* words, pid_t parent,
                         const int (&io)[3]) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kNotExecuted);  // it died before it could be watched
  std::signal(SIGPIPE, SIG_DFL);
  for (int fd = 0; fd < 3; ++fd) {
    if (::dup2(io[fd], fd) < 0) ::_exit(kNotExecuted);
  }
  ::execv(program, words);
  ::_exit(kNotExecuted);
}

}  // namespace

ChildProcess::ChildProcess(const ProcessStart& start) {
  const std::string program = start.program.string();
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const std::string& word : start.arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int io[3] = {open_for_child("/dev/null", O_RDONLY),
                     open_for_child(start.output, O_WRONLY | O_CREAT | O_TRUNC),
                     open_for_child(start.errors, O_WRONLY | O_CREAT | O_APPEND)};
  const pid_t parent = ::getpid();
  child_ = ::fork();
  if (child_ == 0) become(program.c_str(), words.data(), parent, io);
  const int reason = errno;
  for (const int fd : io) ::close(fd);
  require(child_ > 0, ErrorKind::run, "process", "no process can be made: {}",
          std::strerror(reason));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : child_(std::exchange(other.child_, 0)), end_(other.end_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(child_, other.child_);
  std::swap(end_, other.end_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (child_ <= 0 || end_) return;
  send(SIGTERM);
  reap(true);
}

void ChildProcess::reap(bool wait) {
  int status = 0;
  rusage used{};
  pid_t got = 0;
  do {
    got = ::wait4(child_, &status, wait ? 0 : WNOHANG, &used);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return;
  if (got < 0) {  // nobody to wait for: somebody else took it
    end_ = ProcessEnd{.code = kNotExecuted};
    return;
  }
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end_ = ProcessEnd{.code = signal > 0 ? 128 + signal : WEXITSTATUS(status),
                    .signal = signal,
                    .cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
}

std::optional<ProcessEnd> ChildProcess::ended() {
  if (!end_) reap(false);
  return end_;
}

void ChildProcess::send(int signal) const {
  if (child_ > 0 && !end_) ::kill(child_, signal);
}

std::filesystem::path program_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return std::filesystem::absolute(name);
  const char* path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "" : path;
  for (const std::string_view folder : split(folders, ':')) {
    const auto candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return std::filesystem::absolute(candidate);
  }
  return name;
}

}  // namespace tenfold

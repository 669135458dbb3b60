// Another program run as a child: started with its output in files, looked after, ended.
// Not here: pipes between processes, or what to run.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tenfold {

/// What a child was given and how it ended.
struct ProcessEnd {
  int code = 0;            ///< exit code, or 128 + signal
  int signal = 0;          ///< that killed it; 0: it ended by itself
  double cpu_seconds = 0;  ///< user and system, of its threads and of children it waited for
};

struct ProcessStart {
  std::filesystem::path program;
  std::vector<std::string> arguments;  ///< without the program's name
  std::filesystem::path output;        ///< replaced
  std::filesystem::path errors;        ///< added to
};

/// A child in a process group of its own: a terminal's interrupt reaches the parent alone, which
/// hands it on. Where the parent dies, the child gets SIGTERM. Destroyed while the child runs, it
/// sends SIGTERM and waits.
class ChildProcess {
 public:
  /// Error{run} where a file cannot be opened or no process be made. A program that cannot be
  /// executed ends with code 127.
  explicit ChildProcess(const ProcessStart& start);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  /// Swaps: what this one held ends with the other.
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  /// Never waits; none: it still runs.
  std::optional<ProcessEnd> ended();
  void send(int signal) const;
  pid_t id() const { return child_; }

 private:
  void reap(bool wait);

  pid_t child_ = 0;
  std::optional<ProcessEnd> end_;
};

/// The running program's own file, from argv[0]: as it is with a '/' in it, else looked up along
/// PATH as a shell does. Absolute where it was found, else `name` itself.
std::filesystem::path program_path(const std::string& name);

}  // namespace tenfold

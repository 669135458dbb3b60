// The program: parses the command line, runs one command, turns every failure into one line and an
// exit code. Not here: the commands.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <system_error>

#include "command.h"
#include "command_line.h"
#include "methods/methods.h"
#include "support/allocator.h"
#include "support/fail.h"
#include "support/process.h"
#include "tenfold/error.h"
#include "tensor/device.h"
#include "tensor/threads.h"
#include "tensor/torch.h"

namespace tenfold::app {
namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kReaderGone = 128 + SIGPIPE;

/// One line on stderr. A reader of stderr that went away changes nothing.
int failed(const std::string& message, int code) {
  std::fputs(("tenfold: " + message + "\n").c_str(), stderr);
  return code;
}

bool output_has_no_reader() {
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

/// A reader that has seen enough (`| head`) ends the program without a word.
int output_failed(int reason) {
  if (reason == EPIPE || output_has_no_reader()) return kReaderGone;
  return failed(std::string("[output] standard output cannot be written: ") + std::strerror(reason),
                kFailed);
}

/// `code`, unless what was printed did not arrive.
int after_output(int code) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return output_failed(errno == 0 ? EIO : errno);
}

int run_action(const Program& program, Terminal& terminal) {
  try {
    if (!program.device.empty()) parse_device(program.device);
    set_threads(program.threads);
    return after_output(program.action());
  } catch (const Error& error) {
    terminal.finish();
    return failed(error.what(), error.exit_code());
  } catch (const c10::Error& error) {
    terminal.finish();
    const std::string text = error.what_without_backtrace();
    return failed("[libtorch] " + text.substr(0, text.find('\n')), kFailed);
  } catch (const std::bad_alloc&) {
    terminal.finish();
    return failed("[memory] not enough memory for this request", kFailed);
  } catch (const std::system_error& error) {
    terminal.finish();
    if (std::ferror(stdout) != 0) return output_failed(error.code().value());
    return failed(std::string("[system] ") + error.what(), kFailed);
  } catch (const std::exception& error) {
    terminal.finish();
    return failed(std::string("[internal] ") + error.what(), kFailed);
  }
}

int run(int argc, char** argv) {
  Terminal terminal(Terminal::on(STDERR_FILENO));
  Program program{.terminal = terminal, .self = program_path(argc > 0 ? argv[0] : "")};
  CLI::App app(
      "Transformer text models: prepare, pre-train, fine-tune, evaluate, predict, embed, study.",
      "tenfold");
  methods::register_all();
  declare_command_line(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return after_output(app.exit(error));
    return failed(Error(ErrorKind::usage, "usage", usage_message(app, error)).what(), kUsage);
  }
  terminal.set_quiet(program.quiet);
  if (!program.action) {
    std::fputs(app.help().c_str(), stdout);
    return after_output(0);
  }
  return run_action(program, terminal);
}

/// Whether the command is one of those with many short parallel regions: the others are not worth
/// a second start.
bool trains(int argc, char** argv) {
  const auto is_training = [](std::string_view word) {
    return word == "pretrain" || word == "finetune" || word == "bench";
  };
  return std::any_of(argv + 1, argv + std::max(argc, 1), is_training);
}

}  // namespace
}  // namespace tenfold::app

int main(int argc, char** argv) {
  // OpenMP's runtime reads this once, before main. Its own default lets a thread spin for
  // milliseconds, which keeps a core from the very thread it waits for when another process holds
  // the other one; never spinning costs more than the second thread gains (docs/benchmarks.md,
  // "Waiting threads"). A user's own setting stands.
  if (tenfold::app::trains(argc, argv) && std::getenv("GOMP_SPINCOUNT") == nullptr &&
      std::getenv("OMP_WAIT_POLICY") == nullptr) {
    ::setenv("GOMP_SPINCOUNT", "10000", 1);
    ::execv("/proc/self/exe", argv);  // comes back only where there is no /proc: then as it is
  }
  tenfold::keep_freed_memory();
  // A write to a pipe without a reader fails instead of killing: a run goes on without its stderr,
  // and a command whose stdout is gone ends in output_failed().
  std::signal(SIGPIPE, SIG_IGN);
  const int code = tenfold::app::run(argc, argv);
  std::fflush(nullptr);
  std::_Exit(code);  // taking back all that libtorch registered is a third of a short command
}

// The program: parses the command line, runs one command, turns every failure into one line and an
// exit code. Not here: the commands.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>

#include "command.h"
#include "methods/methods.h"
#include "support/allocator.h"
#include "support/fail.h"
#include "support/strings.h"
#include "tenfold/error.h"
#include "tensor/threads.h"
#include "tensor/torch.h"

namespace tenfold::app {
namespace {

constexpr int kUsage = 2;

void declare(CLI::App& app, Program& program) {
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "tenfold " TENFOLD_VERSION);
  app.add_option("--threads", program.threads,
                 "threads of tensor operators; 0: the machine's usable cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.fallthrough();
  add_vocab(app, program);
  add_prepare(app, program);
  add_pretrain(app, program);
  add_finetune(app, program);
  add_evaluate(app, program);
  add_predict(app, program);
  add_fill(app, program);
  add_tokenize(app, program);
  add_inspect(app, program);
  add_verify(app, program);
  add_methods(app, program);
  add_doctor(app, program);
  add_bench(app, program);
  add_report(app, program);
}

/// Names an unknown word could have been meant for: the options of the chosen command, or the
/// commands.
std::vector<std::string> candidates(const CLI::App& app, bool option) {
  std::vector<std::string> names;
  const auto chosen = app.get_subcommands();
  const CLI::App* at = chosen.empty() ? &app : chosen.front();
  if (!option && chosen.empty()) {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      names.push_back(sub->get_name());
    return names;
  }
  for (const CLI::App* level : {at, &app}) {
    for (const CLI::Option* known : level->get_options()) {
      for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  const auto rest = app.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !rest.empty()) {
    const bool option = rest.front().starts_with("-");
    const std::string name = rest.front().substr(0, rest.front().find('='));
    message = fmt::format("unknown {} '{}'{}", option ? "option" : "command", name,
                          did_you_mean(name, candidates(app, option)));
  }
  fmt::print(stderr, "tenfold: [usage] {} (see tenfold --help)\n", message);
  return kUsage;
}

int failed(const std::string& message, int code) {
  fmt::print(stderr, "tenfold: {}\n", message);
  return code;
}

int run(int argc, char** argv) {
  Terminal terminal(Terminal::on(2));
  Program program{.terminal = terminal, .threads = 0, .device = "cpu", .action = {}};
  CLI::App app("Transformer text models: prepare, pre-train, fine-tune, evaluate, predict.",
               "tenfold");
  methods::register_all();
  declare(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return usage_error(app, error);
  }
  if (!program.action) {
    fmt::print("{}", app.help());
    return 0;
  }
  try {
    set_threads(program.threads);
    const int code = program.action();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      return failed("[output] standard output cannot be written", 1);
    }
    return code;
  } catch (const Error& error) {
    terminal.finish();
    return failed(error.what(), error.exit_code());
  } catch (const c10::Error& error) {
    terminal.finish();
    const std::string text = error.what_without_backtrace();
    return failed("[libtorch] " + text.substr(0, text.find('\n')), 1);
  } catch (const std::bad_alloc&) {
    return failed("[memory] not enough memory for this request", 1);
  } catch (const std::exception& error) {
    terminal.finish();
    return failed(std::string("[internal] ") + error.what(), 1);
  }
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
  std::signal(SIGPIPE, SIG_DFL);  // a reader that went away ends the program quietly
  return tenfold::app::run(argc, argv);
}

// Global options, and the nearest legal word for one that is not known.
// Not here: parsing (CLI11) or exit codes (main.cpp).
#include "command_line.h"

#include <algorithm>
#include <charconv>

#include "build_info.h"
#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

const CLI::App* chosen_command(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// Of the chosen command first, then the global ones.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level : {chosen_command(app), &app}) {
    if (level == nullptr) continue;
    for (const CLI::Option* known : level->get_options()) {
      for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

/// What is unknown among the words that nothing took; empty: nothing.
std::string unknown_word(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  const auto is_option = [](const std::string& word) {
    return word.size() > 1 && word.starts_with("-") && word != "--";
  };
  if (rest.empty()) return "";
  if (chosen_command(app) == nullptr && !is_option(rest.front())) {
    return fmt::format("unknown command '{}'{}", rest.front(),
                       did_you_mean(rest.front(), command_names(app)));
  }
  const auto option = std::find_if(rest.begin(), rest.end(), is_option);
  if (option == rest.end()) return fmt::format("unexpected argument '{}'", rest.front());
  const std::string name = option->substr(0, option->find('='));
  return fmt::format("unknown option '{}'{}", name, did_you_mean(name, option_names(app)));
}

}  // namespace

void declare_command_line(CLI::App& app, Program& program) {
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "tenfold " TENFOLD_VERSION);
  app.add_flag_callback(
      "--build-info", [] { throw CLI::CallForVersion(build_info_text(), 0); },
      "version, commit, compiler, flags and libtorch of this program");
  app.add_option("--threads", program.threads,
                 "threads of tensor operators; 0: the machine's usable cores")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  app.add_option("--device", program.device,
                 "cpu, cuda or cuda:N; default: the recipe's train.device, else cpu");
  app.add_option("--dtype", program.dtype,
                 "float32 or bfloat16: what products and attention compute in; default: the "
                 "recipe's train.dtype, else float32")
      ->check(CLI::IsMember({"float32", "bfloat16"}));
  app.add_flag("--quiet", program.quiet, "no progress and no remarks; warnings and errors stay");
  app.fallthrough();
  add_vocab(app, program);
  add_prepare(app, program);
  add_split(app, program);
  add_pretrain(app, program);
  add_finetune(app, program);
  add_evaluate(app, program);
  add_predict(app, program);
  add_fill(app, program);
  add_tag(app, program);
  add_qa(app, program);
  add_embed(app, program);
  add_similarity(app, program);
  add_tokenize(app, program);
  add_inspect(app, program);
  add_verify(app, program);
  add_convert(app, program);
  add_methods(app, program);
  add_doctor(app, program);
  add_bench(app, program);
  add_report(app, program);
  add_study(app, program);
  app.footer(
      "--threads, --device, --dtype and --quiet may stand before or after the command.\n"
      "Exit codes: 0 done, 1 the run failed, 2 usage or configuration, 3 data, 4 checkpoint,\n"
      "5 unsupported here, 130 and 143 stopped by a signal (a training run saves first),\n"
      "141 the reader of standard output went away.");
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  const std::string unknown = unknown_word(app);
  const CLI::App* command = chosen_command(app);
  return fmt::format("{} (see tenfold {}--help)", unknown.empty() ? error.what() : unknown,
                     command == nullptr ? "" : command->get_name() + " ");
}

void may_be_repeated(CLI::Option* option) {
  option->take_all()->expected(1)->allow_extra_args(false);
}

CLI::Validator whole_number(int64_t least) {
  const auto check = [least](const std::string& text) -> std::string {
    int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc() && rest == end && number >= least) return "";
    return fmt::format("expected a whole number of at least {}, got '{}'", least, text);
  };
  return CLI::Validator(check, fmt::format("(at least {})", least));
}

void require_cpu(const Program& program, const std::string& command) {
  require(program.device_or_cpu() == "cpu", ErrorKind::unsupported, command,
          "--device {}: this command runs on the CPU", program.device);
}

void require_float32(const Program& program, const std::string& command) {
  require(program.dtype_or_float32() == "float32", ErrorKind::unsupported, command,
          "--dtype {}: this command computes in float32", program.dtype);
}

}  // namespace tenfold::app

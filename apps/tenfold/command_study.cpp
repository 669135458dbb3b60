// `tenfold study`: one baseline, one factor varied at a time, over tasks and seeds.
// Not here: the plan (study_setup.h), the runs (study_runner.h) or the page (study_page.h).
#include <algorithm>

#include "command.h"
#include "config/schema.h"
#include "config/writer.h"
#include "study/results.h"
#include "study_page.h"
#include "study_runner.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/signals.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

using study::RunRecord;
using study::State;

eval::Table plan_table(const StudySetup& setup, const std::vector<RunRecord>& records) {
  eval::Table table;
  table.columns = {{"run", eval::Align::left}, {"state", eval::Align::left}, {"tokens"}, {"FLOPs"}};
  Estimate all, left;
  const auto row = [&](const std::string& name, const std::string& state, const Estimate& what) {
    table.rows.push_back({name, state, what.tokens > 0 ? human_count(what.tokens) : "?",
                          what.flops > 0 ? study::flops_text(what.flops) : "?"});
  };
  for (size_t run = 0; run < setup.plan.runs.size(); ++run) {
    const Estimate& estimate = setup.estimates[run];
    row(setup.plan.runs[run].name, study::name_of(records[run].state), estimate);
    all.tokens += estimate.tokens;
    all.flops += estimate.flops;
    if (records[run].state == State::finished) continue;
    left.tokens += estimate.tokens;
    left.flops += estimate.flops;
  }
  row("all", "", all);
  row("still to run", "", left);
  return table;
}

/// What the plan says, at most: the limits of steps count, not those of time or patience.
int show_plan(const StudySetup& setup) {
  const auto records = find_records(setup);
  fmt::print("{}", eval::text_table(plan_table(setup, records)));
  return 0;
}

/// The command line that repeats the study.
std::string repeat_command(const StudyArguments& arguments) {
  std::string command = fmt::format("tenfold study {}", arguments.file.string());
  for (const std::string& name : arguments.tasks) command += " --task " + name;
  for (const std::string& text : arguments.overrides) command += fmt::format(" --set '{}'", text);
  return command + " --out " + arguments.out.string();
}

void refuse_used_folder(const StudyArguments& arguments) {
  std::error_code missing;
  const std::filesystem::directory_iterator runs(arguments.out / "runs", missing);
  const bool used = !missing && runs != std::filesystem::directory_iterator();
  require(arguments.resume || !used, ErrorKind::usage, "study",
          "{} holds runs already: --resume goes on with them", arguments.out.string());
}

int show_results(const StudySetup& setup, const std::vector<RunRecord>& records, Program& program) {
  write_results(setup, records);
  write_study_page(setup, records, repeat_command(setup.arguments));
  const char* between = "";
  for (const eval::Table& table : study::tables_of(setup.file, setup.plan, records)) {
    fmt::print("{}{}", between, eval::text_table(table));
    between = "\n";
  }
  program.terminal.info("see {}", (setup.arguments.out / "report.html").string());
  return std::any_of(records.begin(), records.end(),
                     [](const RunRecord& record) { return record.state == State::failed; })
             ? 1
             : 0;
}

int run_study(const StudyArguments& arguments, Program& program) {
  require(arguments.dry_run || !arguments.out.empty(), ErrorKind::usage, "study",
          "--out DIR is needed");
  const StudySetup setup = set_up_study(arguments, program);
  if (arguments.dry_run) return show_plan(setup);
  refuse_used_folder(arguments);
  tenfold::create_directories(arguments.out);
  const FileLock lock(arguments.out / ".lock");
  write_file_atomically(arguments.out / "study.toml", config::write_toml(setup.file));
  const StopSignal stop;
  std::function<void()> changed;
  StudyRunner runner(setup, program, [&] { changed(); });
  changed = [&] { write_results(setup, runner.records()); };
  runner.prepare(stop);
  if (!stop.requested()) runner.run(stop);
  const int code = show_results(setup, runner.records(), program);
  return stop.requested() ? stop.exit_code() : code;
}

constexpr const char* kStudyFooter =
    "Example:\n  tenfold study studies/demo.toml --out demo-study\n\n"
    "A run is known by its effective options, what it starts from and what it is measured on. It\n"
    "lies in DIR/runs/NAME-HASH; one that is finished is never made again, one that was killed\n"
    "goes on from its last checkpoint, one that failed is tried again by --resume. SIGINT and\n"
    "SIGTERM let the runs under way save; a second one ends them at once. Exit code 1: some run\n"
    "failed; the others have their results.\n\n"
    "Results: the table on standard output, DIR/results.md, DIR/results.json, DIR/report.html.\n\n"
    "Study keys:\n";

}  // namespace

void add_study(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<StudyArguments>();
  CLI::App* command =
      app.add_subcommand("study", "vary a baseline one factor at a time: runs, table, report");
  command->add_option("FILE", arguments->file, "study file (TOML)")->required();
  command->add_option("--out", arguments->out, "folder of the runs and the results");
  command->add_flag("--resume", arguments->resume, "go on with what DIR holds");
  command->add_flag("--dry-run", arguments->dry_run,
                    "print the plan with tokens and FLOPs at most; run nothing");
  command->add_option("--jobs", arguments->jobs, "runs at a time; they share the threads")
      ->check(whole_number(1))
      ->capture_default_str();
  may_be_repeated(
      command->add_option("--task", arguments->tasks, "only this task; may be repeated"));
  may_be_repeated(command->add_option(
      "--reuse", arguments->reuse,
      "folder of another study whose finished runs count here; may be repeated"));
  may_be_repeated(command->add_option(
      "--set", arguments->overrides, "override one key of the study: path=value; may be repeated"));
  command->footer(
      [] { return kStudyFooter + config::help_text(config::describe<study::StudyFile>()); });
  command->callback(
      [=, &program] { program.action = [=, &program] { return run_study(*arguments, program); }; });
}

}  // namespace tenfold::app

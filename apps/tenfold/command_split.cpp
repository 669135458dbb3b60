// `tenfold split`: one file of labelled rows into train, dev and test.
// Not here: which row goes where (data/split.h), or the kinds' files (task_*.cpp).
#include "column_options.h"
#include "command.h"
#include "support/fail.h"
#include "support/strings.h"
#include "task_table.h"

namespace tenfold::app {
namespace {

struct SplitArguments {
  std::filesystem::path data;
  std::string task = "classification";
  std::vector<std::string> overrides;
  data::TaskColumns columns;
  data::SplitPlan plan;
};

int split_rows(const SplitArguments& arguments, Program& program) {
  const data::SplitPlan& plan = arguments.plan;
  require(plan.dev + plan.test < 1, ErrorKind::usage, "split",
          "--dev {} and --test {} leave nothing for training", plan.dev, plan.test);
  const config::Choice task = task_with({}, arguments.task, arguments.overrides);
  const TaskKind& kind = find_task(task.kind);
  const auto rows = kind.split(
      {.file = arguments.data, .columns = arguments.columns, .task = task, .log = program.terminal},
      plan);
  program.terminal.info("{} train, {} dev, {} test {} in {}", rows[0], rows[1], rows[2],
                        kind.name == "span" ? "articles" : "rows", plan.out.string());
  return 0;
}

}  // namespace

void add_split(CLI::App& app, Program& program) {
  auto arguments = std::make_shared<SplitArguments>();
  CLI::App* command = app.add_subcommand("split", "cut a file of rows into train, dev and test");
  command->add_option("--data", arguments->data, "labelled rows")->required();
  command->add_option("--out", arguments->plan.out, "folder to write")->required();
  std::vector<std::string> names;
  for (const TaskKind& kind : task_kinds()) names.push_back(kind.name);
  command->add_option("--task", arguments->task, "what the rows are for: " + join(names, ", "))
      ->capture_default_str();
  const CLI::Range share(0.0, 1.0);
  command->add_option("--dev", arguments->plan.dev, "share for validation")
      ->check(share)
      ->capture_default_str();
  command->add_option("--test", arguments->plan.test, "share for the test")
      ->check(share)
      ->capture_default_str();
  command->add_option("--seed", arguments->plan.seed, "another seed, another cut")
      ->capture_default_str();
  may_be_repeated(command->add_option(
      "--set", arguments->overrides,
      "override an option of the task: task.tagging.columns.word_prefix=en:; may be "
      "repeated"));
  add_column_options(*command, arguments->columns, data::Labels::required);
  command->footer(
      "Rows with one first text (a premise, an anchor), questions about one article and equal "
      "sentences stay\n"
      "together, so that a test is not known from training. The cut hangs on the texts and the "
      "seed "
      "alone.\n"
      "Written: .jsonl, for taggers .conll, for answers .json as SQuAD.\n\n"
      "Example:\n  tenfold split --data squad.json --task span --dev 0 --test 0.2 --out "
      "squad-split");
  command->callback([=, &program] {
    program.action = [=, &program] { return split_rows(*arguments, program); };
  });
}

}  // namespace tenfold::app

// The command lines of `tenfold bench` and `tenfold report`.
// Not here: benchmarks (bench.h) and reports (report.h).
#include "bench.h"
#include "command.h"
#include "report.h"
#include "support/strings.h"
#include "tensor/threads.h"

namespace tenfold::app {

void add_bench(CLI::App& app, Program& program) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "measure speeds, as JSON lines");
  command->add_option("NAME", options->name, "one of " + join(bench_names(), ", "))->required();
  command->add_option("--rounds", options->rounds, "samples wanted for each case")
      ->capture_default_str();
  command->add_option("--seconds", options->seconds, "time budget for each case")
      ->capture_default_str();
  command->add_option("--cases", options->cases, "only cases containing one of these")
      ->delimiter(',');
  command->add_option("--megabytes", options->megabytes, "text for tokenize")
      ->capture_default_str();
  command->add_option("--data", options->data, "real text and vocabularies")->capture_default_str();
  command->add_option("--cache", options->cache, "models and inputs shared with the peers")
      ->capture_default_str();
  command
      ->add_option("--kinds", options->kinds,
                   "attention: kinds to measure, and 'flash' (libtorch's own) and 'values' "
                   "(nothing mixed); all "
                   "without it")
      ->delimiter(',');
  may_be_repeated(command->add_option("--set", options->settings,
                                      "attention: KIND.option=value; may be repeated"));
  command->add_flag(
      "--profile", options->profile,
      "encode, train-step, residual: a table of where the time goes, in place of speeds");
  command->add_flag("--recompute", options->recompute,
                    "train-step, residual: with train.gradient_checkpointing");
  command->add_flag("--child", options->child)->group("");
  command->footer(
      "roof        libtorch's matrix products: what other figures are divided by\n"
      "tokenize    text to token ids\n"
      "encode      hidden states of BERT-base and MiniLM\n"
      "train-step  forward, backward and update of masked language modelling\n"
      "update      the update alone, by each optimizer\n"
      "load        a new process up to its first embedding\n"
      "attention   each kind of attention, full and causal, forward and backward:\n"
      "              n512 ... n65536   queries, keys and values given, 8 heads of 64\n"
      "              ragged512, -4096  16 sequences of different lengths\n"
      "              layer512 ... 8192 one layer with its projections, width 512; layer16x128: a "
      "batch\n"
      "              decode512 ... 8192 a token behind so many in memory, six layers of 512\n"
      "              bert-base-4096    forward of the whole model, with its share of the roof\n"
      "residual    a BERT-base-shaped model with and without carried scores\n\n"
      "Examples:\n"
      "  tenfold bench encode --cases bert-base/32x128 --threads 2\n"
      "  tenfold bench attention --kinds softmax,flash --cases n512,n1024/causal");
  command->callback([=, &program] {
    program.action = [=, &program] {
      if (options->name != "train-step") require_cpu(program, "bench " + options->name);
      options->device = program.device_or_cpu();
      const bool narrow_too = options->name == "encode" || options->name == "train-step" ||
                              options->name == "attention" || options->name == "residual";
      if (!narrow_too) require_float32(program, "bench " + options->name);
      options->dtype = program.dtype_or_float32();
      options->threads = program.threads > 0 ? program.threads : 1;
      set_threads(options->threads);
      return run_bench(*options);
    };
  });
}

void add_report(CLI::App& app, Program& program) {
  struct Arguments {
    ReportSpec spec;
    std::vector<std::string> runs, fixed;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "a table and an HTML page of runs with several seeds");
  ReportSpec& spec = arguments->spec;
  command->add_option("--title", spec.title, "title of the page")->required();
  command->add_option("--summary", spec.summary, "one paragraph below it");
  command->add_option("--pretraining", spec.pretraining, "run folder of the pre-training");
  may_be_repeated(command->add_option("--run", arguments->runs,
                                      "GROUP:SEED=RUN[,EVALUATION.json]; may be repeated"));
  may_be_repeated(command->add_option("--fixed", arguments->fixed,
                                      "GROUP=metric:value[,...]: a row without runs"));
  command->add_option("--metrics", spec.metrics, "keys of the evaluation files to show")
      ->delimiter(',');
  may_be_repeated(
      command->add_option("--command", spec.commands, "a command to repeat; may be repeated"));
  command->add_option("--out", spec.output, "HTML file; without it only the table is printed");
  command->callback([=, &program] {
    program.action = [=] {
      ReportSpec all = arguments->spec;
      for (const std::string& run : arguments->runs) all.runs.push_back(parse_fine_tuned(run));
      for (const std::string& row : arguments->fixed) all.fixed.push_back(parse_fixed_row(row));
      fmt::print("{}", make_report(all));
      return 0;
    };
  });
}

}  // namespace tenfold::app

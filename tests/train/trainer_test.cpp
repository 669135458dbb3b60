// The loop on a toy: cutting, guarding, stopping and resuming.
// Not here: real models and data (model, methods and the command-line tests).
#include "train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "train/accumulate.h"
#include "train/adamw.h"
#include "train/run_state.h"
#include "train/schedule.h"
#include "train/toy.h"

namespace tenfold::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::ScratchFolder;
using testing::timeless_metrics;
using testing::ToyStream;
using testing::ToyTrainee;

TrainOptions toy_options() {
  TrainOptions options;
  options.steps = 20;
  options.log_every = 3;
  options.validate_every = 4;
  options.save_every = 5;
  options.tensorboard = false;
  options.optimizer = config::Choice::of("adamw", AdamWOptions{.learning_rate = 0.05});
  options.schedule = config::Choice::of("linear", DecayOptions{.warmup = {.steps = 2}});
  return options;
}

struct ToyRun : testing::ToySetup {
  bool dry_run = false;
  std::vector<config::FlatField> config{{"train.seed", "1"}};
  std::vector<std::string> main_metrics{"loss"};
  std::vector<Metrics> validations;  ///< what validations give, in order; empty: the true loss

  ToyRun() { options = toy_options(); }

  Metrics validate() {
    if (!validations.empty()) {
      const Metrics next = validations.front();
      validations.erase(validations.begin());
      return next;
    }
    return {{"loss", size()}};
  }

  TrainOutcome train(const fs::path& run) {
    TrainSetup all = setup(run);
    all.validate = [this] { return validate(); };
    all.main_metrics = main_metrics;
    all.config = config;
    all.dry_run = dry_run;
    return run_training(all);
  }
};

std::map<std::string, Tensor> gradients_of(int64_t rows, int64_t batches) {
  ToyTrainee toy;
  ToyStream stream(rows);
  std::vector<data::Batch> window;
  for (int64_t i = 0; i < batches; ++i) window.push_back(stream.next()->batch);
  model::StepContext context;
  context.seed = 3;
  context.step = 7;
  accumulate_gradients(toy, window, context);
  std::map<std::string, Tensor> gradients;
  for (const Parameter& parameter : collect_parameters(toy.modules()))
    gradients[parameter.name] = parameter.value.grad();
  return gradients;
}

TEST(Accumulate, GradientsDoNotDependOnTheCut) {
  const auto whole = gradients_of(12, 1);
  for (const auto& [rows, batches] : {std::pair{1, 12}, {5, 3}, {4, 3}, {6, 2}}) {
    if (rows == 5) continue;  // 5 + 5 + 5 rows are other examples
    for (const auto& [name, gradient] : gradients_of(rows, batches)) {
      const double error =
          (gradient - whole.at(name)).norm().item<double>() / whole.at(name).norm().item<double>();
      EXPECT_LE(error, 1e-6) << name << " cut into " << batches;
    }
  }
}

TEST(Trainer, LearnsAndLogs) {
  ScratchFolder folder;
  ToyRun run;
  const TrainOutcome outcome = run.train(folder.path());
  EXPECT_EQ(outcome.ended, Ended::steps);
  EXPECT_EQ(outcome.step, 20);
  std::ifstream file(folder.path() / "metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 11u);  // steps 3 .. 18 and validations 4 .. 20
  EXPECT_EQ(lines[0]["step"], 3);
  EXPECT_NEAR(
      lines[0]["loss"].get<double>(),
      lines[0]["parts"]["fit"].get<double>() + 0.1 * lines[0]["parts"]["score"].get<double>(),
      1e-12);
  EXPECT_EQ(lines[0]["counts"]["rows"], 15);
  EXPECT_EQ(lines[1]["eval"].size(), 1u);
  EXPECT_LT(lines[9]["loss"].get<double>(), lines[0]["loss"].get<double>());
  EXPECT_TRUE(fs::exists(folder.path() / "best" / "toy.bin"));
}

TEST(Trainer, TwentyStepsEqualTenAndTenResumedBitForBit) {
  ScratchFolder folder;
  ToyRun whole;
  whole.train(folder.path() / "whole");
  for (const int stop_at : {10, 13}) {  // at a save, and between two
    const fs::path run = folder.path() / std::to_string(stop_at);
    ToyRun first;
    first.stop_at = stop_at;
    const TrainOutcome outcome = first.train(run);
    EXPECT_EQ(outcome.ended, Ended::signal);
    EXPECT_EQ(outcome.signal, 15);
    EXPECT_EQ(outcome.step, stop_at);
    ToyRun second;
    second.resume = true;
    EXPECT_EQ(second.train(run).step, 20);
    EXPECT_EQ(second.toy.bits(), whole.toy.bits());
    EXPECT_EQ(second.stream.position(), whole.stream.position());
    EXPECT_EQ(timeless_metrics(run), timeless_metrics(folder.path() / "whole"));
    const char* moments = "latest/training_state.safetensors";
    EXPECT_EQ(read_file(run / moments, 1 << 20),
              read_file(folder.path() / "whole" / moments, 1 << 20));
  }
}

TEST(Trainer, ResumesFromTheOneBeforeADamagedCheckpointWithTheSameEnd) {
  ScratchFolder folder;
  ToyRun whole;
  whole.train(folder.path() / "whole");
  ToyRun first;
  first.stop_at = 17;
  first.train(folder.path() / "cut");
  std::ofstream(folder.path() / "cut" / "checkpoint-17" / "toy.bin", std::ios::app) << "x";
  ToyRun second;
  second.resume = true;
  second.train(folder.path() / "cut");
  EXPECT_EQ(second.toy.bits(), whole.toy.bits());
  EXPECT_EQ(timeless_metrics(folder.path() / "cut"), timeless_metrics(folder.path() / "whole"));
}

TEST(Trainer, ResumingAFinishedRunDoesNothing) {
  ScratchFolder folder;
  ToyRun whole;
  whole.train(folder.path());
  const std::string before = timeless_metrics(folder.path());
  ToyRun again;
  again.resume = true;
  EXPECT_EQ(again.train(folder.path()).step, 20);
  EXPECT_EQ(timeless_metrics(folder.path()), before);
}

TEST(Trainer, RefusesAChangedConfigByItsKeyAndAnOccupiedFolder) {
  ScratchFolder folder;
  ToyRun first;
  first.train(folder.path());
  ToyRun changed;
  changed.resume = true;
  changed.config = {{"train.seed", "2"}};
  EXPECT_THAT([&] { changed.train(folder.path()); },
              ::testing::ThrowsMessage<Error>(
                  HasSubstr("train.seed was 1 when the run began and is 2 now")));
  ToyRun fresh;
  EXPECT_THAT([&] { fresh.train(folder.path()); },
              ::testing::ThrowsMessage<Error>(HasSubstr("--resume")));
}

/// Spoils the losses of some updates.
struct Spoiler final : Hook {
  explicit Spoiler(ToyTrainee& trainee, std::vector<int64_t> bad_steps)
      : toy(trainee), bad(std::move(bad_steps)) {}
  std::string name() const override { return "spoiler"; }
  void before_step(int64_t step) override {
    toy.spoil = std::find(bad.begin(), bad.end(), step) != bad.end() ? std::nan("") : 1;
    if (toy.spoil != 1) before = toy.bits();
  }
  Wish after_step(const StepReport& report) override {
    if (!report.applied) untouched = untouched && toy.bits() == before;
    return Wish::go_on;
  }
  ToyTrainee& toy;
  std::vector<int64_t> bad;
  std::string before;
  bool untouched = true;
};

TEST(Trainer, SkipsAndCountsWhatIsNotFinite) {
  ScratchFolder folder;
  ToyRun run;
  Spoiler spoiler(run.toy, {4, 5, 9});
  run.hooks = {&spoiler};
  EXPECT_EQ(run.train(folder.path()).skipped, 3);
  EXPECT_TRUE(spoiler.untouched);
  EXPECT_THAT(timeless_metrics(folder.path()), HasSubstr("\"skipped\":3"));
}

TEST(Trainer, ThreeInARowEndTheRunWithADump) {
  ScratchFolder folder;
  ToyRun run;
  Spoiler spoiler(run.toy, {6, 7, 8});
  run.hooks = {&spoiler};
  EXPECT_THAT([&] { run.train(folder.path()); },
              ::testing::ThrowsMessage<Error>(HasSubstr("3 times in a row")));
  const auto dump = nlohmann::json::parse(read_file(folder.path() / "not-finite-9.json", 1 << 20));
  EXPECT_EQ(dump["step"], 9);
  EXPECT_EQ(dump["parts"]["fit"], "nan");
  EXPECT_FALSE(dump["batches"][0].empty());
}

TEST(Trainer, ADryRunMakesOneStepAndWritesNothing) {
  ScratchFolder folder;
  ToyRun run;
  run.dry_run = true;
  const TrainOutcome outcome = run.train(folder.path() / "never");
  EXPECT_EQ(outcome.ended, Ended::dry_run);
  EXPECT_EQ(outcome.step, 1);
  EXPECT_FALSE(fs::exists(folder.path() / "never"));
}

TEST(Trainer, EndsAfterEpochsAndCountsShortWindows) {
  ScratchFolder folder;
  ToyRun run;
  run.options.steps = 0;
  run.options.epochs = 2;
  run.options.accumulate = 3;
  const TrainOutcome outcome = run.train(folder.path());
  EXPECT_EQ(outcome.ended, Ended::epochs);
  EXPECT_EQ(outcome.step, 4);  // 2 epochs of 5 batches, 3 an update
}

TEST(Trainer, StopsWhenValidationNoLongerImproves) {
  ScratchFolder folder;
  ToyRun run;
  run.options.steps = 200;
  run.options.best.patience = 2;
  run.options.best.better = Better::higher;
  run.options.validate_every = 1;
  const TrainOutcome outcome = run.train(folder.path());
  EXPECT_EQ(outcome.ended, Ended::patience);
  EXPECT_EQ(outcome.step, outcome.best_step + 2);
  EXPECT_EQ(fs::read_symlink(folder.path() / "best"),
            fmt::format("checkpoint-{}", outcome.best_step));
}

TEST(Trainer, TheMainMetricDecidesAndNoNumberLosesToAny) {
  const double nan = std::nan("");
  const auto best_step = [](std::vector<std::string> main, std::vector<Metrics> validations) {
    ScratchFolder folder;
    ToyRun run;
    run.options.steps = static_cast<int64_t>(validations.size());
    run.options.validate_every = 1;
    run.main_metrics = std::move(main);
    run.validations = std::move(validations);
    return run.train(folder.path()).best_step;
  };
  EXPECT_EQ(best_step({"f1", "loss"}, {{{"f1", 0.2}, {"loss", 1}},
                                       {{"f1", 0.6}, {"loss", 3}},
                                       {{"f1", 0.5}, {"loss", 0.5}}}),
            2)
      << "larger is better";
  EXPECT_EQ(best_step({"f1", "loss"}, {{{"loss", 1}}, {{"loss", 0.4}}, {{"loss", 3}}}), 2)
      << "no f1 for these rows: the loss";
  EXPECT_EQ(best_step({"r"}, {{{"r", nan}}, {{"r", -0.3}}, {{"r", nan}}, {{"r", -0.5}}}), 2);
  EXPECT_EQ(best_step({"r"}, {{{"r", nan}}, {{"r", nan}}}), 1);
}

TEST(Trainer, NamesTheMetricsThereAreWhenTheBestOneIsMissing) {
  ScratchFolder folder;
  ToyRun run;
  run.options.best.metric = "accuracy";
  EXPECT_THAT([&] { run.train(folder.path()); },
              ::testing::ThrowsMessage<Error>(HasSubstr("among the validation's: loss")));
}

}  // namespace
}  // namespace tenfold::train

// The training loop.
// Not here: the arithmetic of a window, an update or a schedule.
#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "nn/step_aware.h"
#include "support/clock.h"
#include "support/fail.h"
#include "support/strings.h"
#include "train/accumulate.h"
#include "train/checkpoint_store.h"
#include "train/clip.h"
#include "train/freeze.h"
#include "train/layer_decay.h"
#include "train/metrics_log.h"
#include "train/optimizer.h"
#include "train/run_state.h"
#include "train/schedule.h"
#include "train/tensorboard.h"
#include "train/weight_average.h"

namespace tenfold::train {
namespace {

constexpr int64_t kMaxSkippedInRow = 3;

/// The updates a run will make where that is known beforehand, else 0.
int64_t planned_steps(const TrainOptions& options, const BatchStream& batches) {
  const auto per_epoch = batches.batches_per_epoch();
  if (options.epochs == 0 || !per_epoch) return options.steps;
  const int64_t by_epochs =
      (options.epochs * *per_epoch + options.accumulate - 1) / options.accumulate;
  return options.steps == 0 ? by_epochs : std::min(options.steps, by_epochs);
}

/// What the options leave to be optimised, with the rates they give it.
std::vector<Parameter> chosen_parameters(Trainee& trainee, const TrainOptions& options, Log& log) {
  const std::vector<model::OwnedModule> modules = trainee.modules();
  if (const int64_t frozen = freeze(modules, options.freeze); frozen > 0)
    log.info("{} weights are frozen", human_count(static_cast<double>(frozen)));
  std::vector<Parameter> parameters = collect_parameters(modules);
  require(!parameters.empty() || options.freeze.empty(), ErrorKind::config, "train.freeze",
          "every parameter is frozen: there is nothing to train");
  scale_by_depth(parameters, options.layer_decay);
  return parameters;
}

/// Modules that change by themselves as training goes on.
std::vector<nn::StepAware*> step_aware_modules(Trainee& trainee) {
  std::vector<nn::StepAware*> found;
  for (const model::OwnedModule& owned : trainee.modules()) {
    for (const auto& module : owned.module->modules()) {
      if (auto* aware = dynamic_cast<nn::StepAware*>(module.get())) found.push_back(aware);
    }
  }
  return found;
}

class Run {
 public:
  explicit Run(TrainSetup& setup)
      : setup_(setup),
        options_(setup.options),
        parameters_(chosen_parameters(setup.trainee, setup.options, setup.log)),
        step_aware_(step_aware_modules(setup.trainee)),
        optimizer_(make_optimizer(options_.optimizer, parameters_)),
        planned_(planned_steps(options_, setup.batches)),
        schedule_(make_schedule(options_.schedule, planned_)) {
    require(!parameters_.empty(), ErrorKind::internal, "train", "there is nothing to optimise");
    if (options_.ema.decay > 0) {
      average_.emplace(parameters_, options_.ema);
      setup.log.info("averages of the weights take {} of memory",
                     human_bytes(static_cast<uint64_t>(average_->bytes())));
    }
    if (!setup.run.empty() && !setup.dry_run) open_folder();
  }

  TrainOutcome train() {
    std::optional<Ended> ended = limit_reached();
    while (!ended) ended = update();
    finish(*ended);
    return outcome(*ended);
  }

 private:
  void open_folder();
  void resume_from(const Checkpoint& checkpoint);
  std::optional<Ended> limit_reached() const;
  std::vector<data::Batch> draw_window();
  std::optional<Ended> update();
  StepReport compute(const std::vector<data::Batch>& window);
  void judge(const StepReport& report, const std::vector<data::Batch>& window);
  std::optional<Ended> look_around(const StepReport& report);
  void log_step(const StepReport& report);
  bool validate_now();
  std::string deciding_metric(const Metrics& metrics) const;
  bool is_better(const Metrics& metrics) const;
  /// The averages, where validation and checkpoints show them as the model.
  WeightAverage* shown_average() { return average_ && options_.ema.model ? &*average_ : nullptr; }
  void save();
  void prune();
  void finish(Ended ended);
  TrainOutcome outcome(Ended ended) const;

  bool due(int64_t every) const { return every > 0 && state_.step % every == 0; }

  TrainSetup& setup_;
  const TrainOptions& options_;
  std::vector<Parameter> parameters_;
  std::vector<nn::StepAware*> step_aware_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  int64_t planned_;
  Schedule schedule_;
  RunState state_;
  std::optional<CheckpointStore> store_;
  std::optional<MetricsLog> metrics_;
  std::optional<EventWriter> events_;
  int64_t saved_step_ = -1;
  double last_loss_ = 0;
  int signal_ = 0;
};

void Run::open_folder() {
  store_.emplace(setup_.run, setup_.log);
  if (setup_.resume) {
    if (const auto checkpoint = store_->newest_whole()) resume_from(*checkpoint);
  } else {
    require(store_->empty(), ErrorKind::usage, "train",
            "{} holds checkpoints already; add --resume to go on, or choose another folder",
            setup_.run.string());
  }
  if (setup_.opened) setup_.opened();
  state_.seed = options_.seed;
  state_.config = setup_.config;
  metrics_.emplace(setup_.run / "metrics.jsonl", state_.step);
  if (options_.tensorboard) events_.emplace(setup_.run, saved_step_ < 0 ? 0 : state_.step + 1);
}

void Run::resume_from(const Checkpoint& checkpoint) {
  state_ = read_run_state(checkpoint.folder);
  require(state_.step == checkpoint.step, ErrorKind::checkpoint, "resume",
          "{} holds the state of step {}", checkpoint.folder.string(), state_.step);
  refuse_changed_config(state_.config, setup_.config);
  setup_.read_model(checkpoint.folder);
  optimizer_->load_state(read_state_tensors(checkpoint.folder, kOptimizerFile));
  if (average_) average_->load_state(read_state_tensors(checkpoint.folder, kAverageFile));
  setup_.batches.seek(state_.position);
  for (Hook* hook : setup_.hooks) {
    if (const auto found = state_.hooks.find(hook->name()); found != state_.hooks.end())
      hook->load_state(found->second);
  }
  saved_step_ = state_.step;
  store_->drop_after(state_.step);
  // What a run killed at the end of a save left to do.
  if (state_.best_step > 0) store_->mark_best(state_.best_step);
  prune();
  setup_.log.info("resumed {} at step {}", setup_.run.string(), state_.step);
}

std::optional<Ended> Run::limit_reached() const {
  if (options_.steps > 0 && state_.step >= options_.steps) return Ended::steps;
  if (options_.max_seconds > 0 && state_.seconds >= options_.max_seconds) return Ended::seconds;
  if (options_.best.patience > 0 && state_.stale_validations >= options_.best.patience)
    return Ended::patience;
  return std::nullopt;
}

/// Up to `accumulate` batches; fewer at the end of the data, none past the last epoch.
std::vector<data::Batch> Run::draw_window() {
  std::vector<data::Batch> window;
  while (static_cast<int64_t>(window.size()) < options_.accumulate) {
    std::optional<DrawnBatch> drawn = setup_.batches.next();
    if (!drawn || (options_.epochs > 0 && drawn->epoch >= options_.epochs)) break;
    state_.epoch = drawn->epoch;
    window.push_back(setup_.device.is_cpu() ? std::move(drawn->batch)
                                            : drawn->batch.to(setup_.device));
  }
  return window;
}

std::optional<Ended> Run::update() {
  Stopwatch watch;
  for (Hook* hook : setup_.hooks) hook->before_step(state_.step);
  for (nn::StepAware* module : step_aware_) module->before_step(state_.step);
  const std::vector<data::Batch> window = draw_window();
  if (window.empty()) return Ended::epochs;
  const StepReport report = compute(window);
  state_.step = report.step;
  state_.tokens += report.tokens;
  state_.position = setup_.batches.position();
  const double seconds = watch.seconds();
  state_.seconds += seconds;
  state_.window.seconds += seconds;
  state_.window.add(report);
  last_loss_ = report.loss;
  judge(report, window);
  return look_around(report);
}

/// Forward, backward and the update, with one synchronisation: losses and norm come to the host
/// together.
StepReport Run::compute(const std::vector<data::Batch>& window) {
  clear_gradients(parameters_);
  model::StepContext context;
  context.training = true;
  context.seed = static_cast<uint64_t>(options_.seed);
  context.step = static_cast<uint64_t>(state_.step);
  const WindowLoss loss = accumulate_gradients(setup_.trainee, window, context);
  const Tensor norm = gradient_norm(parameters_).to(loss.means.device());
  const Tensor numbers = at::cat({loss.means, norm.reshape({1})}).to(torch::kCPU);
  const double* values = numbers.const_data_ptr<double>();

  StepReport report;
  const double factor = schedule_(state_.step);
  report.step = state_.step + 1;
  report.epoch = state_.epoch;
  report.tokens = loss.tokens;
  report.counts = loss.counts;
  report.learning_rate = optimizer_->learning_rate() * factor;
  report.gradient_norm = values[loss.names.size()];
  for (size_t i = 0; i < loss.names.size(); ++i) {
    report.parts[loss.names[i]] = values[i];
    report.loss += loss.weights[i] * values[i];
  }
  report.applied = std::isfinite(report.loss) && std::isfinite(report.gradient_norm);
  if (report.applied) {
    clip_gradients(parameters_, report.gradient_norm, options_.clip_norm);
    optimizer_->step(factor);
    if (average_) average_->after_update();
  }
  clear_gradients(parameters_);
  return report;
}

/// Counts an update that was not finite; ends the run with a dump at the third in a row.
void Run::judge(const StepReport& report, const std::vector<data::Batch>& window) {
  if (report.applied) {
    state_.skipped_in_row = 0;
    return;
  }
  ++state_.skipped;
  ++state_.skipped_in_row;
  setup_.log.warn(
      "step {}: loss {} with gradient norm {} is not finite; the update is skipped ({} in a row)",
      report.step, report.loss, report.gradient_norm, state_.skipped_in_row);
  if (state_.skipped_in_row < kMaxSkippedInRow) return;
  std::string where = "no run folder to write a dump to";
  if (store_) {
    nlohmann::ordered_json dump;
    dump["step"] = report.step;
    dump["loss"] = fmt::format("{}", report.loss);
    for (const auto& [name, value] : report.parts) dump["parts"][name] = fmt::format("{}", value);
    dump["grad_norm"] = fmt::format("{}", report.gradient_norm);
    dump["learning_rate"] = report.learning_rate;
    for (const data::Batch& batch : window) dump["batches"].push_back(batch.example_ids);
    const auto path = setup_.run / fmt::format("not-finite-{}.json", report.step);
    write_file_atomically(path, dump.dump(1) + "\n");
    where = "see " + path.string();
  }
  fail(ErrorKind::run, "train",
       "loss or gradients were not finite {} times in a row, last at step {}; {}", kMaxSkippedInRow,
       report.step, where);
}

/// What follows an update, always in this order: hooks, log, validation, checkpoint, limits,
/// signal.
std::optional<Ended> Run::look_around(const StepReport& report) {
  std::optional<Ended> ended;
  for (Hook* hook : setup_.hooks) {
    if (hook->after_step(report) == Wish::stop) ended = Ended::hook;
  }
  if (due(options_.log_every)) log_step(report);
  const bool improved = due(options_.validate_every) && validate_now();
  if (improved || due(options_.save_every)) save();
  if (setup_.dry_run) return Ended::dry_run;
  if (const auto limit = limit_reached()) return limit;
  if (setup_.stop_signal) signal_ = setup_.stop_signal();
  return signal_ != 0 ? Ended::signal : ended;
}

void Run::log_step(const StepReport& report) {
  LogWindow& window = state_.window;
  const double speed = window.seconds > 0 ? static_cast<double>(window.tokens) / window.seconds : 0;
  const StepReport mean = window.mean(report);
  if (metrics_) {
    metrics_->step({.mean = mean,
                    .tokens = state_.tokens,
                    .tokens_per_second = speed,
                    .seconds = state_.seconds,
                    .skipped = state_.skipped});
  }
  if (events_) {
    events_->scalar("train/loss", mean.loss, report.step);
    for (const auto& [name, value] : mean.parts)
      events_->scalar("train/" + name, value, report.step);
    events_->scalar("train/grad_norm", mean.gradient_norm, report.step);
    events_->scalar("train/tokens_per_second", speed, report.step);
    events_->scalar("lr", report.learning_rate, report.step);
  }
  setup_.progress.update({.task = setup_.task,
                          .done = report.step,
                          .total = planned_,
                          .unit = "step",
                          .tokens_per_second = speed,
                          .loss = mean.loss,
                          .note = ""});
  window = {};
}

/// The metric that was asked for, else the first of the run's own that is there.
std::string Run::deciding_metric(const Metrics& metrics) const {
  if (!options_.best.metric.empty()) return options_.best.metric;
  for (const std::string& name : setup_.main_metrics) {
    if (metrics.contains(name)) return name;
  }
  return setup_.main_metrics.empty() ? "loss" : setup_.main_metrics.front();
}

/// Whether a validation beats the best so far. Without a number to compare, anything does.
bool Run::is_better(const Metrics& metrics) const {
  const std::string metric = deciding_metric(metrics);
  const auto found = metrics.find(metric);
  std::string names;
  for (const auto& [name, value] : metrics) names += (names.empty() ? "" : ", ") + name;
  require(found != metrics.end(), ErrorKind::config, "train.best",
          "metric = \"{}\" is not among the validation's: {}", metric, names);
  const auto best = state_.best_validation.find(metric);
  if (best == state_.best_validation.end()) return true;
  if (std::isnan(found->second) || std::isnan(best->second))
    return std::isnan(best->second) && !std::isnan(found->second);
  const Better way = options_.best.better;
  const bool lower =
      way == Better::lower || (way == Better::automatic && setup_.lower_is_better(metric));
  return lower ? found->second < best->second : found->second > best->second;
}

/// Validates and keeps the score; whether it is the best so far. Its time is not training time.
bool Run::validate_now() {
  if (!setup_.validate || setup_.dry_run) return false;
  Metrics metrics;
  {
    torch::NoGradGuard no_grad;
    const AveragesInPlace shown(shown_average());
    metrics = setup_.validate();
  }
  if (metrics_) metrics_->validation(state_.step, state_.seconds, metrics);
  if (events_) {
    for (const auto& [name, value] : metrics) events_->scalar("eval/" + name, value, state_.step);
  }
  for (Hook* hook : setup_.hooks) hook->after_validation(state_.step, metrics);
  state_.validated_step = state_.step;
  state_.last_validation = metrics;
  if (!options_.best.enabled) return false;
  const bool better = is_better(metrics);
  if (!better) {
    ++state_.stale_validations;
    return false;
  }
  state_.stale_validations = 0;
  state_.best_step = state_.step;
  state_.best_validation = std::move(metrics);
  return true;
}

void Run::save() {
  if (!store_ || saved_step_ == state_.step) return;
  for (Hook* hook : setup_.hooks) state_.hooks[hook->name()] = hook->state();
  metrics_->sync();
  store_->save(state_.step, [&](const std::filesystem::path& folder) {
    {
      const AveragesInPlace shown(shown_average());
      setup_.write_model(folder);
    }
    write_state_tensors(folder, kOptimizerFile, optimizer_->state());
    if (average_) write_state_tensors(folder, kAverageFile, average_->state());
    write_run_state(folder, state_);
  });
  saved_step_ = state_.step;
  if (state_.best_step == state_.step) store_->mark_best(state_.step);
  prune();
}

void Run::prune() {
  const bool has_best = state_.best_step > 0;
  store_->prune(options_.keep_last,
                has_best ? std::optional<int64_t>(state_.best_step) : std::nullopt);
}

void Run::finish(Ended ended) {
  if (setup_.dry_run) return;
  const bool cut_short = ended == Ended::signal;
  if (!cut_short && state_.step > 0 && state_.validated_step != state_.step) validate_now();
  if (state_.step > 0) save();
  setup_.progress.finish();
}

TrainOutcome Run::outcome(Ended ended) const {
  return {.ended = ended,
          .signal = signal_,
          .step = state_.step,
          .epoch = state_.epoch,
          .tokens = state_.tokens,
          .skipped = state_.skipped,
          .seconds = state_.seconds,
          .last_loss = last_loss_,
          .last_validation = state_.last_validation,
          .best_validation = state_.best_validation,
          .best_step = state_.best_step};
}

}  // namespace

TrainOutcome run_training(TrainSetup setup) { return Run(setup).train(); }

}  // namespace tenfold::train

// Starting children, looking after them, and keeping what they came to.
// Not here: what fork and exec need (support/process.h).
#include "study_runner.h"

#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "column_options.h"
#include "model/checkpoint.h"
#include "study/cost.h"
#include "study/results.h"
#include "support/checksum.h"
#include "support/clock.h"
#include "support/cpu.h"
#include "support/fail.h"
#include "support/files.h"
#include "support/json.h"
#include "support/strings.h"

namespace tenfold::app {
namespace {

using study::RunRecord;
using study::State;

constexpr int kLookEveryMilliseconds = 50;
constexpr uint64_t kLongestOutput = 64 << 20;
constexpr const char* kStudyWhere = "study";

std::filesystem::path runs_folder(const std::filesystem::path& study) { return study / "runs"; }

/// By hash, the records below one study's folder.
std::map<std::string, RunRecord> records_below(const std::filesystem::path& study) {
  std::map<std::string, RunRecord> found;
  if (study.empty()) return found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(runs_folder(study), missing)) {
    RunRecord record = study::read_record(entry.path());
    if (!record.hash.empty()) found[record.hash] = std::move(record);
  }
  return found;
}

/// The last line of a log that names an error, else its last line; empty: nothing was said.
std::string last_complaint(const std::filesystem::path& log) {
  std::error_code missing;
  if (!std::filesystem::is_regular_file(log, missing)) return "";
  const std::string text = read_file(log, kLongestOutput);
  constexpr std::string_view kMark = "tenfold: ";
  std::string last, named;
  for (const std::string_view line : split(text, '\n')) {
    if (trim(line).empty()) continue;
    last = trim(line);
    if (line.starts_with(kMark)) named = trim(line.substr(kMark.size()));
  }
  return named.empty() ? last : named;
}

std::string why_it_ended(const ProcessEnd& end, const std::filesystem::path& log) {
  if (end.signal > 0) return fmt::format("killed by signal {}", end.signal);
  const std::string complaint = last_complaint(log);
  return complaint.empty() ? fmt::format("exit code {}", end.code) : complaint;
}

/// The last line of a file as a JSON object. Error{data} naming it.
nlohmann::json last_object(const std::filesystem::path& path) {
  const std::string text = read_file(path, kLongestOutput);
  const std::string_view whole = trim(text);
  const size_t begin = whole.rfind('\n') == std::string_view::npos ? 0 : whole.rfind('\n') + 1;
  auto object = parse_json(whole.substr(begin), path.string(), ErrorKind::data, kStudyWhere);
  require(object.is_object(), ErrorKind::data, kStudyWhere, "{} ends with no JSON object",
          path.string());
  return object;
}

std::map<std::string, double> numbers_of(const nlohmann::json& object) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) numbers[name] = value.get<double>();
  }
  return numbers;
}

void require_metric(const std::map<std::string, double>& metrics, const std::string& wanted) {
  if (metrics.contains(wanted)) return;
  std::vector<std::string> names;
  for (const auto& [name, value] : metrics) names.push_back(name);
  fail(ErrorKind::config, kStudyWhere, "there is no '{}' among the figures: {}{}", wanted,
       names.empty() ? "none (no validation?)" : join(names, ", "), did_you_mean(wanted, names));
}

void remove_models(const std::filesystem::path& run) {
  for (const char* link : {"best", "latest"}) tenfold::remove_all(run / link);
  for (const auto& entry : std::filesystem::directory_iterator(run)) {
    if (entry.path().filename().string().starts_with("checkpoint-"))
      tenfold::remove_all(entry.path());
  }
}

/// Global options that every child gets.
void add_global_options(std::vector<std::string>& words, const Program& program, int64_t jobs) {
  const int cores = program.threads > 0 ? program.threads : read_cpu().usable_cores;
  if (program.threads > 0 || jobs > 1) {
    words.emplace_back("--threads");
    words.push_back(std::to_string(std::max<int64_t>(1, cores / jobs)));
  }
  words.emplace_back("--quiet");
}

}  // namespace

std::filesystem::path model_of_run(const std::filesystem::path& run) {
  return std::filesystem::exists(run / "best") ? run / "best" : run / "latest";
}

std::vector<RunRecord> find_records(const StudySetup& setup) {
  std::vector<std::map<std::string, RunRecord>> places{records_below(setup.arguments.out)};
  for (const auto& other : setup.arguments.reuse) places.push_back(records_below(other));
  std::vector<RunRecord> records;
  for (const study::PlannedRun& run : setup.plan.runs) {
    RunRecord record{.hash = run.hash};
    if (const auto own = places[0].find(run.hash); own != places[0].end()) record = own->second;
    for (const auto& place : places) {
      const auto there = place.find(run.hash);
      if (record.state != State::finished && there != place.end() &&
          there->second.state == State::finished)
        record = there->second;
    }
    record.reused = record.state == State::finished;
    records.push_back(std::move(record));
  }
  return records;
}

StudyRunner::StudyRunner(const StudySetup& setup, const Program& program,
                         std::function<void()> changed)
    : setup_(setup),
      program_(program),
      changed_(std::move(changed)),
      records_(find_records(setup)) {
  for (const RunRecord& record : records_) begun_.push_back(record.state == State::finished);
}

std::filesystem::path StudyRunner::folder_of(size_t run) const {
  const RunRecord& record = records_[run];
  return record.folder.empty() ? runs_folder(setup_.arguments.out) / setup_.plan.runs[run].name
                               : record.folder;
}

/// Whether a run that is still to be made reads the prepared data.
bool StudyRunner::needs_data() const {
  for (size_t run = 0; run < begun_.size(); ++run) {
    if (begun_[run]) continue;
    const study::PlannedRun& planned = setup_.plan.runs[run];
    std::string texts = join(planned.overrides, "\n");
    if (planned.command == study::Command::finetune)
      texts += setup_.file.tasks[planned.task].test.string();
    if (texts.find(study::kDataMark) != std::string::npos) return true;
  }
  return false;
}

void StudyRunner::prepare(const StopSignal& stop) {
  if (setup_.file.prepare.empty() || !needs_data()) return;
  const auto data = setup_.arguments.data_folder();
  tenfold::create_directories(data);
  std::string before;
  for (const std::string& command : setup_.file.prepare) {
    if (stop.requested()) return;
    before += command + "\n";  // what an earlier command made differently is made differently too
    const auto stamp = data / (".made-" + xxh3_128(before).hex());
    if (std::filesystem::exists(stamp)) continue;
    program_.terminal.info("data: {}", command);
    ProcessStart start{.program = program_.self,
                       .arguments = {},
                       .output = data / "output.txt",
                       .errors = data / "errors.txt"};
    for (const std::string_view word : split(command, ' ')) {
      if (!word.empty()) start.arguments.push_back(setup_.arguments.with_data(std::string(word)));
    }
    add_global_options(start.arguments, program_, 1);
    ChildProcess child(start);
    bool passed_on = false;
    while (!child.ended()) {
      ::poll(nullptr, 0, kLookEveryMilliseconds);
      if (stop.requested() && !std::exchange(passed_on, true)) child.send(stop.signal_number());
    }
    const ProcessEnd end = *child.ended();
    if (stop.requested()) return;
    require(end.code == 0, ErrorKind::run, kStudyWhere, "'{}' failed: {}", command,
            why_it_ended(end, start.errors));
    write_file_atomically(stamp, command + "\n");
  }
}

void StudyRunner::run(const StopSignal& stop) {
  while (true) {
    while (!stopping_ && static_cast<int64_t>(work_.size()) < setup_.arguments.jobs) {
      const auto next = next_run();
      if (!next) break;
      begin(*next);
    }
    if (work_.empty()) return;
    look_after(stop);
  }
}

/// The first run whose start is there. Those that can never begin are settled on the way.
std::optional<size_t> StudyRunner::next_run() {
  for (size_t run = 0; run < begun_.size(); ++run) {
    if (begun_[run]) continue;
    if (const auto parent = setup_.plan.runs[run].parent) {
      const State state = records_[*parent].state;
      if (begun_[*parent] && (state == State::failed || state == State::left_out)) {
        leave_out(run, fmt::format("its pre-training {}",
                                   state == State::failed ? "failed" : "was left out"));
        continue;
      }
      if (state != State::finished) continue;
    }
    if (!refuse_over_budget(run)) return run;
  }
  return std::nullopt;
}

bool StudyRunner::refuse_over_budget(size_t run) {
  const study::Budget& budget = setup_.file.budget;
  double flops = 0, seconds = 0;
  for (size_t other = 0; other < records_.size(); ++other) {
    const RunRecord& record = records_[other];
    if (record.folder.parent_path() != runs_folder(setup_.arguments.out)) continue;
    flops += record.flops;
    seconds += record.wall_seconds;
  }
  for (const Work& work : work_) {
    flops += setup_.estimates[work.run].flops;
    seconds += monotonic_seconds() - work.begun;
  }
  if (budget.seconds > 0 && seconds >= budget.seconds) {
    leave_out(run, fmt::format("the budget of {} is used up", human_duration(budget.seconds)));
    return true;
  }
  const double wanted = setup_.estimates[run].flops;
  if (budget.flops > 0 && flops + wanted > budget.flops) {
    leave_out(run, fmt::format("it takes {} FLOPs, and of the budget of {} only {} are left",
                               study::flops_text(wanted), study::flops_text(budget.flops),
                               study::flops_text(std::max(0.0, budget.flops - flops))));
    return true;
  }
  return false;
}

void StudyRunner::leave_out(size_t run, const std::string& reason) {
  begun_[run] = true;
  records_[run].state = State::left_out;
  records_[run].error = reason;
  program_.terminal.info("left out {}: {}", setup_.plan.runs[run].name, reason);
}

void StudyRunner::begin(size_t run) {
  begun_[run] = true;
  const study::PlannedRun& planned = setup_.plan.runs[run];
  const auto folder = folder_of(run);
  RunRecord& record = records_[run];
  record.folder = folder;
  try {
    tenfold::create_directories(folder);
    const std::string recipe =
        planned.command == study::Command::pretrain
            ? config::write_toml(pretrain_recipe(setup_, planned, DataMark::replaced, program_))
            : config::write_toml(finetune_recipe(setup_, planned, DataMark::replaced, program_));
    write_file_atomically(folder / "recipe.toml", recipe);
    record.state = State::stopped;  // until it says otherwise
    record.error = "it was killed";
    study::write_record(folder, record);
    begin_part(run, Part::training);
  } catch (const Error& error) {
    finish(run, State::failed, error.what());
  }
}

void StudyRunner::begin_part(size_t run, Part part) {
  work_.push_back({.run = run,
                   .part = part,
                   .child = ChildProcess(start_of(run, part)),
                   .begun = monotonic_seconds()});
}

ProcessStart StudyRunner::start_of(size_t run, Part part) const {
  const study::PlannedRun& planned = setup_.plan.runs[run];
  const auto folder = folder_of(run);
  ProcessStart start{.program = program_.self,
                     .arguments = {},
                     .output = folder / "outcome.json",
                     .errors = folder / "errors.txt"};
  std::vector<std::string>& words = start.arguments;
  if (part == Part::training) {
    words = {study::name_of(planned.command),
             "--config",
             (folder / "recipe.toml").string(),
             "--out",
             folder.string(),
             "--resume"};
    if (planned.command == study::Command::finetune) {
      words.emplace_back("--model");
      words.push_back(planned.parent ? model_of_run(records_[*planned.parent].folder).string()
                                     : setup_.file.model.string());
    }
  } else {
    const FinetuneRecipe recipe = finetune_recipe(setup_, planned, DataMark::replaced, program_);
    const std::string test = setup_.file.tasks[planned.task].test.string();
    start.output = folder / "evaluation.json";
    words = {"evaluate",     "--json",
             "--model",      model_of_run(folder).string(),
             "--data",       setup_.arguments.with_data(test),
             "--max-length", std::to_string(recipe.data.max_length)};
    const auto add = [&words](const char* option, const std::string& value) {
      if (value.empty()) return;
      words.emplace_back(option);
      words.push_back(value);
    };
    const std::vector<std::string> columns = words_of(recipe.data.columns);
    words.insert(words.end(), columns.begin(), columns.end());
    add("--device", program_.device);
    add("--dtype", program_.dtype);
  }
  add_global_options(words, program_, setup_.arguments.jobs);
  return start;
}

/// Waits a moment, hands a signal on, and deals with whatever ended.
void StudyRunner::look_after(const StopSignal& stop) {
  ::poll(nullptr, 0, kLookEveryMilliseconds);
  if (stop.requested() && !std::exchange(stopping_, true)) {
    program_.terminal.info("signal {}: {} under way save and end", stop.signal_number(),
                           work_.size() == 1 ? "the run" : "the runs");
    for (const Work& work : work_) work.child.send(stop.signal_number());
  }
  for (size_t w = 0; w < work_.size();) {
    const auto end = work_[w].child.ended();
    if (!end) {
      ++w;
      continue;
    }
    Work work = std::move(work_[w]);
    work_.erase(work_.begin() + static_cast<std::ptrdiff_t>(w));
    ended(work, *end);
  }
}

void StudyRunner::ended(const Work& work, const ProcessEnd& end) {
  RunRecord& record = records_[work.run];
  record.cpu_seconds += end.cpu_seconds;
  record.wall_seconds += monotonic_seconds() - work.begun;
  try {
    const bool stopped = end.code == 128 + SIGINT || end.code == 128 + SIGTERM;
    if (stopped && stopping_) {
      finish(work.run, State::stopped, "a signal ended it; --resume goes on");
    } else if (end.code != 0) {
      finish(work.run, State::failed, why_it_ended(end, folder_of(work.run) / "errors.txt"));
    } else if (work.part == Part::measuring) {
      take_evaluation(work.run);
      finish(work.run, State::finished, "");
    } else {
      take_outcome(work.run);
      const bool measure = setup_.plan.runs[work.run].command == study::Command::finetune;
      if (!measure) {
        finish(work.run, State::finished, "");
      } else if (stopping_) {
        finish(work.run, State::stopped, "a signal ended it before it was measured");
      } else {
        begin_part(work.run, Part::measuring);
      }
    }
  } catch (const Error& error) {
    finish(work.run, State::failed, error.what());
  }
}

/// Tokens, steps and arithmetic of a training run; of a pre-training also its figures.
void StudyRunner::take_outcome(size_t run) {
  RunRecord& record = records_[run];
  const auto outcome = last_object(record.folder / "outcome.json");
  const auto number = [&](const char* key) {
    const auto found = outcome.find(key);
    require(found != outcome.end() && found->is_number(), ErrorKind::data, kStudyWhere,
            "{} has no number '{}'", (record.folder / "outcome.json").string(), key);
    return found->get<double>();
  };
  record.steps = static_cast<int64_t>(number("step"));
  record.tokens = number("tokens");
  const bool pretrains = setup_.plan.runs[run].command == study::Command::pretrain;
  if (outcome.contains("row_length")) {
    const auto description = model::read_description(record.folder / "latest");
    study::Passed passed{.tokens = record.tokens,
                         .attended = record.tokens * number("row_length"),
                         .classes = static_cast<int64_t>(description.labels.size())};
    (pretrains ? passed.predicted : passed.classified) = record.tokens * number("items_per_token");
    record.flops = study::training_flops(description.encoder, passed);
  } else if (const Estimate& estimate = setup_.estimates[run]; estimate.tokens > 0) {
    // This life drew nothing: the run had come to its end when it was killed.
    record.flops = estimate.flops * record.tokens / estimate.tokens;
  }
  if (!pretrains) return;
  if (const auto best = outcome.find("best"); best != outcome.end())
    record.metrics = numbers_of(*best);
  if (setup_.file.tasks.empty()) require_metric(record.metrics, setup_.file.pretraining_metric());
}

void StudyRunner::take_evaluation(size_t run) {
  RunRecord& record = records_[run];
  record.metrics = numbers_of(last_object(record.folder / "evaluation.json"));
  const study::Task& task = setup_.file.tasks[setup_.plan.runs[run].task];
  require_metric(record.metrics, setup_.file.metric_of(task));
  if (!setup_.file.keep_models) remove_models(record.folder);
}

void StudyRunner::finish(size_t run, State state, const std::string& error) {
  RunRecord& record = records_[run];
  record.state = state;
  record.error = error;
  study::write_record(record.folder, record);
  const auto ready = std::count_if(records_.begin(), records_.end(), [](const RunRecord& other) {
    return other.state == State::finished;
  });
  const std::string name = setup_.plan.runs[run].name;
  if (state == State::failed) {
    program_.terminal.warn("{} failed: {}", name, error);
  } else {
    program_.terminal.info("{} {}, {} ({} of {} runs)", name, study::name_of(state),
                           human_duration(record.wall_seconds), ready, records_.size());
  }
  changed_();
}

}  // namespace tenfold::app

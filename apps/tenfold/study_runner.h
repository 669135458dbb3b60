// Makes the runs of a study: each a child process of the program, in a folder of its own that is
// found again.
// Not here: which runs there are (study/plan.h), or tables and pages (study/results.h,
// study_page.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "study/run_record.h"
#include "study_setup.h"
#include "support/process.h"
#include "support/signals.h"

namespace tenfold::app {

/// What is there of each run: finished ones here or in a study to reuse, begun ones here.
std::vector<study::RunRecord> find_records(const StudySetup& setup);

/// The model directory a finished run left: its best checkpoint, else its newest.
std::filesystem::path model_of_run(const std::filesystem::path& run);

class StudyRunner {
 public:
  /// `changed` is called after every run that ended. References must outlive the runner.
  StudyRunner(const StudySetup& setup, const Program& program, std::function<void()> changed);

  /// Makes the data where the study has commands for that and a run needs them. Error{run} naming
  /// the command.
  void prepare(const StopSignal& stop);

  /// Makes every run that the budget allows. After a signal the runs under way save and end, and
  /// nothing more begins.
  void run(const StopSignal& stop);

  const std::vector<study::RunRecord>& records() const { return records_; }

 private:
  enum class Part { training, measuring };
  /// A child at work.
  struct Work {
    size_t run = 0;
    Part part = Part::training;
    ChildProcess child;
    double begun = 0;
  };

  bool needs_data() const;
  std::optional<size_t> next_run();
  bool refuse_over_budget(size_t run);
  void leave_out(size_t run, const std::string& reason);
  void begin(size_t run);
  void begin_part(size_t run, Part part);
  void look_after(const StopSignal& stop);
  void ended(const Work& work, const ProcessEnd& end);
  void take_outcome(size_t run);
  void take_evaluation(size_t run);
  void finish(size_t run, study::State state, const std::string& error);
  std::filesystem::path folder_of(size_t run) const;
  ProcessStart start_of(size_t run, Part part) const;

  const StudySetup& setup_;
  const Program& program_;
  std::function<void()> changed_;
  std::vector<study::RunRecord> records_;
  std::vector<bool> begun_;  // or settled without beginning
  std::vector<Work> work_;
  bool stopping_ = false;
};

}  // namespace tenfold::app

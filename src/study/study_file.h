// What a study file says: stages, tasks, what is varied, seeds and the budget.
// Not here: which runs follow from it (plan.h), or running anything (apps).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::study {

enum class Mode : uint8_t { one_at_a_time, grid };

/// Names a stage in a path of an axis: "pretrain.train.steps".
inline constexpr const char* kPretrain = "pretrain";
/// Every task's fine-tuning: "finetune.train.steps". A task's own name reaches that one alone.
inline constexpr const char* kFinetune = "finetune";
/// Stands for the folder of the prepared data, in commands and paths.
inline constexpr const char* kDataMark = "$data";

struct PretrainStage {
  std::filesystem::path recipe;  ///< empty: the study starts from StudyFile::model
  std::vector<std::string> set;
  bool per_seed = false;
  void fields(config::FieldVisitor& v);
};

struct Task {
  std::string name;
  std::filesystem::path recipe = {};
  std::vector<std::string> set = {};
  std::filesystem::path test = {};
  std::string metric = {};  ///< empty: the study's
  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// Overrides that belong together, as one value of an axis.
struct AxisGroup {
  std::string label;
  std::vector<std::string> set;  ///< with the stage in front: "pretrain.train.seed=2"
  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// Either a path with values, or groups.
struct Axis {
  std::string name;
  std::string path;  ///< with the stage in front
  std::vector<config::PlainValue> values;
  std::vector<std::string> labels;  ///< one a value; empty: the values themselves
  std::vector<AxisGroup> groups;
  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;

  /// The values in either form, labelled.
  std::vector<AxisGroup> choices() const;
  std::string shown_name() const { return name.empty() ? path : name; }
};

/// 0: no limit.
struct Budget {
  double seconds = 0;  ///< of all runs together, as the clock on the wall counts each
  double flops = 0;
  void fields(config::FieldVisitor& v);
};

struct StudyFile {
  std::string title, question;
  Mode mode = Mode::one_at_a_time;
  std::vector<int64_t> seeds = {1};
  std::string metric;  ///< empty: accuracy, or the loss where there are no tasks
  bool keep_models = true;
  std::vector<std::string> prepare;  ///< commands that make the data: vocab, prepare, split
  Budget budget;
  std::filesystem::path model;
  PretrainStage pretrain;
  std::vector<Task> tasks;
  std::vector<Axis> axes;
  std::vector<std::string> skipped;  ///< tasks the command leaves out: overrides may name them

  void fields(config::FieldVisitor& v);
  /// Leaves only the tasks named. Error{usage} with the nearest name where there is none such.
  void keep_tasks(const std::vector<std::string>& names);
  /// Error{config} where stages are missing or contradict each other, or names stand twice.
  void validate(const std::string& where) const;

  std::string metric_of(const Task& task) const;
  /// Of a study without tasks.
  std::string pretraining_metric() const { return metric.empty() ? "loss" : metric; }
};

}  // namespace tenfold::study

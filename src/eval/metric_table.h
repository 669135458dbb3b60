// Every metric by name: what it says, which way is better, and between which bounds it lies.
// Not here: computing them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace tenfold::eval {

/// What a metric is computed of.
enum class MetricInput : uint8_t {
  labels,    ///< a class, or a set of classes, an example
  scores,    ///< a number an example
  tags,      ///< a tag a word
  answers,   ///< short texts with accepted answers
  rankings,  ///< documents in order
  texts,     ///< texts with reference texts
  losses,    ///< log-likelihoods
};

struct MetricInfo {
  std::string_view name;
  std::string_view summary;
  MetricInput input = MetricInput::labels;
  bool higher_is_better = true;
  double low = 0;
  double high = 1;  ///< infinite where there is no bound
  /// Digits behind the point that say something.
  int decimals = 4;
};

/// All of them, grouped by input.
std::span<const MetricInfo> metric_table();

/// By name; a cut such as "@10" at the end is left aside. Nothing where there is none.
const MetricInfo* find_metric(std::string_view name);

/// The same; Error{usage} with the nearest name where there is none.
const MetricInfo& require_metric(std::string_view name);

/// Whether smaller values are better; false for a name that is not in the table.
bool lower_is_better(std::string_view name);

/// "labels", "scores", ...
std::string_view name_of(MetricInput input);

}  // namespace tenfold::eval

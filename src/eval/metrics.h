// Scores of class labels, and the mean of several runs: exact, in double precision, without
// tensors. Not here: other metrics (metric_table.h lists them all), or running a model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::eval {

/// How often class `gold` was called class `predicted`.
class Confusion {
 public:
  /// Square and empty; Error{shape} unless classes > 0.
  explicit Confusion(int64_t classes);

  /// Counts one example, or `times` equal ones. Error{shape} for a class outside 0 .. classes - 1.
  void add(int64_t gold, int64_t predicted, int64_t times = 1);

  int64_t classes() const { return classes_; }
  int64_t total() const { return total_; }
  int64_t at(int64_t gold, int64_t predicted) const;
  int64_t gold_count(int64_t label) const;       ///< row sum
  int64_t predicted_count(int64_t label) const;  ///< column sum

 private:
  int64_t classes_;
  int64_t total_ = 0;
  std::vector<int64_t> counts_;
};

/// Of all pairs; the number of classes is the largest label + 1, or `classes` where that is more.
/// Error{shape} for lists of unequal length or negative labels.
Confusion confusion_of(std::span<const int64_t> gold, std::span<const int64_t> predicted,
                       int64_t classes = 1);

/// Ratios whose denominator is 0 are 0 throughout, and without examples everything is 0.
double accuracy(const Confusion& confusion);

struct ClassScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};
ClassScores class_scores(const Confusion& confusion, int64_t label);

/// F1 of class 1, the positive one.
double f1_binary(const Confusion& confusion);
/// Unweighted mean F1 of the classes that occur as gold or predicted label.
double f1_macro(const Confusion& confusion);
/// F1 over all decisions pooled: for one label an example it equals accuracy().
double f1_micro(const Confusion& confusion);
/// Matthews' correlation, for any number of classes; 0 where one side is constant.
double matthews_correlation(const Confusion& confusion);

/// Label that occurs most often in `gold`, the smallest of equals; -1 without labels.
int64_t majority_class(std::span<const int64_t> gold);

/// exp of a mean negative log-likelihood in nats.
double perplexity(double mean_loss);

/// Mean and sample standard deviation (n - 1; 0 for fewer than two values) of figures from several
/// seeds.
struct MeanDeviation {
  double mean = 0;
  double deviation = 0;
  int64_t count = 0;
};
MeanDeviation mean_deviation(std::span<const double> values);

}  // namespace tenfold::eval

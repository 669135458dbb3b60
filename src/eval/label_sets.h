// Scores of examples that have any number of labels each.
// Not here: one label an example (Confusion in metrics.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tenfold::eval {

/// Decisions about one label over all examples.
struct LabelDecisions {
  int64_t both = 0, gold_only = 0, predicted_only = 0;

  double f1() const;  ///< 0 where the label never occurs on either side
};

/// What was decided, a bit a label and example.
class LabelSetScores {
 public:
  /// Error{shape} unless labels > 0.
  explicit LabelSetScores(int64_t labels);

  /// One example: class indices in any order. Error{data} naming the row for one outside 0 ..
  /// labels - 1 or one that stands twice.
  void add(std::span<const int64_t> gold, std::span<const int64_t> predicted);

  int64_t examples() const { return examples_; }
  const LabelDecisions& of(int64_t label) const;

  double f1_micro() const;      ///< over all decisions pooled
  double f1_macro() const;      ///< unweighted mean over the labels that occur on either side
  double exact() const;         ///< share of examples whose sets are equal ("subset accuracy")
  double hamming_loss() const;  ///< share of decisions that differ

 private:
  std::vector<LabelDecisions> decisions_;
  int64_t examples_ = 0, equal_ = 0;
};

}  // namespace tenfold::eval

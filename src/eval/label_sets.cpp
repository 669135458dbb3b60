// Counting over sorted sets.
// Not here: thresholds that make sets out of probabilities.
#include "eval/label_sets.h"

#include <algorithm>
#include <string_view>

#include "support/fail.h"

namespace tenfold::eval {
namespace {

double part_or_zero(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::vector<int64_t> sorted_set(std::span<const int64_t> labels, int64_t count, int64_t row,
                                std::string_view side) {
  std::vector<int64_t> set(labels.begin(), labels.end());
  std::sort(set.begin(), set.end());
  for (size_t i = 0; i < set.size(); ++i) {
    require(set[i] >= 0 && set[i] < count, ErrorKind::data, "labels",
            "row {}: the {} label {} is outside 0 .. {}", row, side, set[i], count - 1);
    require(i == 0 || set[i] != set[i - 1], ErrorKind::data, "labels",
            "row {}: the {} label {} stands twice", row, side, set[i]);
  }
  return set;
}

}  // namespace

double LabelDecisions::f1() const {
  return part_or_zero(2 * both, 2 * both + gold_only + predicted_only);
}

LabelSetScores::LabelSetScores(int64_t labels) {
  require(labels > 0, ErrorKind::shape, "labels", "expected at least one label, got {}", labels);
  decisions_.resize(static_cast<size_t>(labels));
}

void LabelSetScores::add(std::span<const int64_t> gold, std::span<const int64_t> predicted) {
  const auto count = static_cast<int64_t>(decisions_.size());
  const auto right = sorted_set(gold, count, examples_ + 1, "gold");
  const auto said = sorted_set(predicted, count, examples_ + 1, "predicted");
  for (int64_t label : right) {
    LabelDecisions& decisions = decisions_[static_cast<size_t>(label)];
    ++(std::binary_search(said.begin(), said.end(), label) ? decisions.both : decisions.gold_only);
  }
  for (int64_t label : said) {
    if (!std::binary_search(right.begin(), right.end(), label))
      ++decisions_[static_cast<size_t>(label)].predicted_only;
  }
  ++examples_;
  equal_ += right == said ? 1 : 0;
}

const LabelDecisions& LabelSetScores::of(int64_t label) const {
  require(label >= 0 && label < static_cast<int64_t>(decisions_.size()), ErrorKind::shape, "labels",
          "label {} is outside 0 .. {}", label, decisions_.size() - 1);
  return decisions_[static_cast<size_t>(label)];
}

double LabelSetScores::f1_micro() const {
  LabelDecisions all;
  for (const LabelDecisions& label : decisions_) {
    all.both += label.both;
    all.gold_only += label.gold_only;
    all.predicted_only += label.predicted_only;
  }
  return all.f1();
}

double LabelSetScores::f1_macro() const {
  double sum = 0;
  int64_t present = 0;
  for (const LabelDecisions& label : decisions_) {
    if (label.both + label.gold_only + label.predicted_only == 0) continue;
    sum += label.f1();
    ++present;
  }
  return present == 0 ? 0 : sum / static_cast<double>(present);
}

double LabelSetScores::exact() const { return part_or_zero(equal_, examples_); }

double LabelSetScores::hamming_loss() const {
  int64_t wrong = 0;
  for (const LabelDecisions& label : decisions_) wrong += label.gold_only + label.predicted_only;
  return part_or_zero(wrong, examples_ * static_cast<int64_t>(decisions_.size()));
}

}  // namespace tenfold::eval

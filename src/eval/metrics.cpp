// The formulas of metrics.h over a confusion matrix of whole numbers, divided last.
// Not here: anything that knows where the numbers come from.
#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "support/fail.h"

namespace tenfold::eval {
namespace {

constexpr const char* kMetricsWhere = "metrics";

double ratio_or_zero(double part, double whole) { return whole == 0 ? 0 : part / whole; }

double f1_of(int64_t hits, int64_t gold, int64_t predicted) {
  return ratio_or_zero(2.0 * static_cast<double>(hits), static_cast<double>(gold + predicted));
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

Confusion::Confusion(int64_t classes) : classes_(classes) {
  require(classes > 0, ErrorKind::shape, kMetricsWhere,
          "a confusion matrix needs at least one class, got {}", classes);
  counts_.assign(static_cast<size_t>(classes * classes), 0);
}

void Confusion::add(int64_t gold, int64_t predicted, int64_t times) {
  for (int64_t label : {gold, predicted}) {
    require(label >= 0 && label < classes_, ErrorKind::shape, kMetricsWhere,
            "class {} is outside 0 .. {}", label, classes_ - 1);
  }
  counts_[static_cast<size_t>(gold * classes_ + predicted)] += times;
  total_ += times;
}

int64_t Confusion::at(int64_t gold, int64_t predicted) const {
  return counts_[static_cast<size_t>(gold * classes_ + predicted)];
}

int64_t Confusion::gold_count(int64_t label) const {
  int64_t sum = 0;
  for (int64_t other = 0; other < classes_; ++other) sum += at(label, other);
  return sum;
}

int64_t Confusion::predicted_count(int64_t label) const {
  int64_t sum = 0;
  for (int64_t other = 0; other < classes_; ++other) sum += at(other, label);
  return sum;
}

Confusion confusion_of(std::span<const int64_t> gold, std::span<const int64_t> predicted,
                       int64_t classes) {
  require(gold.size() == predicted.size(), ErrorKind::shape, kMetricsWhere,
          "{} labels for {} predictions", gold.size(), predicted.size());
  for (int64_t label : gold) classes = std::max(classes, label + 1);
  for (int64_t label : predicted) classes = std::max(classes, label + 1);
  Confusion confusion(classes);
  for (size_t i = 0; i < gold.size(); ++i) confusion.add(gold[i], predicted[i]);
  return confusion;
}

double accuracy(const Confusion& confusion) {
  int64_t hits = 0;
  for (int64_t label = 0; label < confusion.classes(); ++label) hits += confusion.at(label, label);
  return ratio_or_zero(static_cast<double>(hits), static_cast<double>(confusion.total()));
}

ClassScores class_scores(const Confusion& confusion, int64_t label) {
  require(label >= 0 && label < confusion.classes(), ErrorKind::shape, kMetricsWhere,
          "class {} is outside 0 .. {}", label, confusion.classes() - 1);
  const int64_t hits = confusion.at(label, label);
  const int64_t gold = confusion.gold_count(label);
  const int64_t predicted = confusion.predicted_count(label);
  return {.precision = ratio_or_zero(static_cast<double>(hits), static_cast<double>(predicted)),
          .recall = ratio_or_zero(static_cast<double>(hits), static_cast<double>(gold)),
          .f1 = f1_of(hits, gold, predicted)};
}

double f1_binary(const Confusion& confusion) {
  return confusion.classes() < 2 ? 0 : class_scores(confusion, 1).f1;
}

double f1_macro(const Confusion& confusion) {
  double sum = 0;
  int64_t present = 0;
  for (int64_t label = 0; label < confusion.classes(); ++label) {
    const int64_t gold = confusion.gold_count(label);
    const int64_t predicted = confusion.predicted_count(label);
    if (gold + predicted == 0) continue;
    sum += f1_of(confusion.at(label, label), gold, predicted);
    ++present;
  }
  return ratio_or_zero(sum, static_cast<double>(present));
}

double f1_micro(const Confusion& confusion) {
  int64_t hits = 0, decisions = 0;
  for (int64_t label = 0; label < confusion.classes(); ++label) {
    hits += confusion.at(label, label);
    decisions += confusion.gold_count(label) + confusion.predicted_count(label);
  }
  return ratio_or_zero(2.0 * static_cast<double>(hits), static_cast<double>(decisions));
}

double matthews_correlation(const Confusion& confusion) {
  const double total = static_cast<double>(confusion.total());
  double hits = 0, both = 0, gold_squares = 0, predicted_squares = 0;
  for (int64_t label = 0; label < confusion.classes(); ++label) {
    const double gold = static_cast<double>(confusion.gold_count(label));
    const double predicted = static_cast<double>(confusion.predicted_count(label));
    hits += static_cast<double>(confusion.at(label, label));
    both += gold * predicted;
    gold_squares += gold * gold;
    predicted_squares += predicted * predicted;
  }
  const double spread = (total * total - gold_squares) * (total * total - predicted_squares);
  return ratio_or_zero(hits * total - both, std::sqrt(spread));
}

int64_t majority_class(std::span<const int64_t> gold) {
  std::map<int64_t, int64_t> counts;
  for (int64_t label : gold) ++counts[label];
  int64_t best = -1, most = 0;
  for (const auto& [label, count] : counts) {
    if (count > most) {
      best = label;
      most = count;
    }
  }
  return best;
}

double perplexity(double mean_loss) { return std::exp(mean_loss); }

MeanDeviation mean_deviation(std::span<const double> values) {
  MeanDeviation out;
  out.count = static_cast<int64_t>(values.size());
  if (values.empty()) return out;
  out.mean = mean_of(values);
  if (values.size() > 1) {
    double squares = 0;
    for (double value : values) squares += (value - out.mean) * (value - out.mean);
    out.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  return out;
}

}  // namespace tenfold::eval

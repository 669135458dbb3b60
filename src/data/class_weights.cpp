// Class weights from options and counts.
// Not here: counting.
#include "data/class_weights.h"

#include <algorithm>
#include <numeric>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::data {

void ClassLossOptions::fields(config::FieldVisitor& v) {
  v.field("label_smoothing", label_smoothing, "share of each label spread over all classes",
          config::fraction_below_one());
  v.field("balanced", balanced, "weigh rare classes up: rows / (classes * rows of the class)");
  v.field("class_weights", class_weights,
          "weights in the order of the labels (config.json's, else sorted); empty: all 1",
          config::at_least(0));
}

void ClassLossOptions::validate(const std::string& where) const {
  require(!balanced || class_weights.empty(), ErrorKind::config, where,
          "balanced computes the weights that class_weights lists: set one of them");
  require(class_weights.empty() || std::any_of(class_weights.begin(), class_weights.end(),
                                               [](double w) { return w > 0; }),
          ErrorKind::config, where, "class_weights are all 0: no row would count");
}

std::vector<double> class_weights_of(const ClassLossOptions& options,
                                     std::span<const int64_t> counts,
                                     std::span<const std::string> labels) {
  require(options.class_weights.empty() || options.class_weights.size() == labels.size(),
          ErrorKind::config, "loss", "class_weights has {} numbers, and there are {} labels: {}",
          options.class_weights.size(), labels.size(), join(labels, ", "));
  if (!options.balanced) return options.class_weights;
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  std::vector<double> weights;
  for (size_t i = 0; i < labels.size(); ++i) {
    require(counts[i] > 0, ErrorKind::data, "loss",
            "balanced weights need rows of every label, and there are none of '{}'", labels[i]);
    weights.push_back(total /
                      (static_cast<double>(labels.size()) * static_cast<double>(counts[i])));
  }
  return weights;
}

}  // namespace tenfold::data

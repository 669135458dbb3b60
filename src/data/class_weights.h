// How much each class of a task counts in its loss: the recipe's [loss] section, and the weights it
// comes to. Not here: the loss (nn/class_loss.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/fields.h"

namespace tenfold::data {

struct ClassLossOptions {
  double label_smoothing = 0;
  bool balanced = false;
  std::vector<double> class_weights = {};  ///< in the order of the labels; empty: all 1

  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

/// A weight a class, none where all are 1. `counts` are the training rows (or tokens) of each
/// label; balanced weights are total / (classes * count), so that every class has the same share of
/// the loss. Error{config} where the options have another number of weights than there are labels;
/// Error{data} naming a label without rows, which has no balanced weight.
std::vector<double> class_weights_of(const ClassLossOptions& options,
                                     std::span<const int64_t> counts,
                                     std::span<const std::string> labels);

}  // namespace tenfold::data

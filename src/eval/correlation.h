// Pearson's and Spearman's correlation of two columns of scores, and the ranks behind the second.
// Not here: correlation of labels (matthews_correlation in metrics.h).
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace tenfold::eval {

/// Both take columns of equal length, row by row, and give a value in -1 .. 1, or nothing where the
/// correlation is undefined: fewer than two rows, or a column whose values are all equal.
/// Error{data} naming the row of a value that is not finite, or columns of unequal length.
std::optional<double> pearson(std::span<const double> predicted, std::span<const double> gold);

/// Pearson's correlation of the ranks; equal values share their mean rank.
std::optional<double> spearman(std::span<const double> predicted, std::span<const double> gold);

/// Ranks from 1 in rising order; equal values share the mean of theirs.
std::vector<double> mean_ranks(std::span<const double> values);

}  // namespace tenfold::eval

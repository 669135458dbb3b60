// Refusing scores that are no numbers before they spoil a mean.
// Not here: tensors (tensor/finite.h).
#pragma once

#include <span>
#include <string_view>

namespace tenfold::eval {

/// Error{data} "row 3: the WHAT is nan, expected a finite number" for the first value that is
/// not; rows count from 1.
void require_finite_scores(std::span<const double> values, std::string_view what);

/// Error{data} where two columns that belong together differ in length.
void require_paired(size_t predicted, size_t gold, std::string_view what);

}  // namespace tenfold::eval

// Gaussian vectors, made orthogonal block by block.
// Not here: when they are drawn again (performer.cpp).
#include "methods/performer/random_projection.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "support/rng.h"

namespace tenfold::performer {
namespace {

/// Normal numbers by Box and Muller.
class NormalStream {
 public:
  NormalStream(uint64_t seed, std::string_view purpose, uint64_t draw)
      : uniform_(seed, purpose, draw) {}
  double next() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform_.uniform())),
                 angle = 2.0 * std::numbers::pi * uniform_.uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  RandomStream uniform_;
  double spare_ = 0;
  bool has_spare_ = false;
};

using Row = std::vector<double>;

double product_of(const Row& a, const Row& b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) sum += a[d] * b[d];
  return sum;
}

void scale_to(Row& row, double length) {
  const double factor = length / std::sqrt(product_of(row, row));
  for (double& x : row) x *= factor;
}

/// Takes the part along `unit` rows first .. end out of a row, twice against rounding.
void orthogonalise(Row& row, const std::vector<Row>& unit, size_t first) {
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t r = first; r < unit.size(); ++r) {
      const double along = product_of(row, unit[r]);
      for (size_t d = 0; d < row.size(); ++d) row[d] -= along * unit[r][d];
    }
  }
}

}  // namespace

Tensor draw_projection(const ProjectionSpec& spec, uint64_t seed, uint64_t draw) {
  NormalStream directions(seed, "performer directions", draw),
      lengths(seed, "performer lengths", draw);
  const auto width = static_cast<size_t>(spec.width);
  const auto gaussian = [&](NormalStream& stream) {
    Row row(width);
    for (double& x : row) x = stream.next();
    return row;
  };
  std::vector<Row> rows;
  for (size_t i = 0; i < static_cast<size_t>(spec.rows); ++i) {
    Row row = gaussian(directions);
    if (spec.orthogonal) {
      orthogonalise(row, rows, i / width * width);
      scale_to(row, 1.0);
    }
    rows.push_back(std::move(row));
  }
  for (Row& row : rows) {
    if (spec.equal_lengths) {
      scale_to(row, std::sqrt(static_cast<double>(width)));
    } else if (spec.orthogonal) {
      const Row other = gaussian(lengths);
      scale_to(row, std::sqrt(product_of(other, other)));
    }
  }
  Tensor projection = torch::empty({spec.rows, spec.width}, torch::kDouble);
  auto* out = projection.mutable_data_ptr<double>();
  for (const Row& row : rows) out = std::copy(row.begin(), row.end(), out);
  return projection;
}

}  // namespace tenfold::performer

// Rows are drawn as counts, so that every metric walks its rows in order, whatever was drawn.
// Not here: metrics.
#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/resampled_scores.h"
#include "support/fail.h"
#include "support/rng.h"
#include "tensor/torch.h"

namespace tenfold::eval {
namespace {

constexpr const char* kBootstrapWhere = "bootstrap";

/// The q-quantile of sorted values, between neighbours by distance.
double quantile_of_sorted(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

std::vector<double> mean_scores(std::span<const WeightedScores> systems, RowWeights weights) {
  std::vector<double> sums;
  for (const WeightedScores& system : systems) {
    const std::vector<double> scores = system(weights);
    if (sums.empty()) sums.assign(scores.size(), 0);
    require(scores.size() == sums.size(), ErrorKind::shape, kBootstrapWhere,
            "systems with {} and with {} metrics cannot be compared", sums.size(), scores.size());
    for (size_t m = 0; m < sums.size(); ++m) sums[m] += scores[m];
  }
  for (double& sum : sums) sum /= static_cast<double>(systems.size());
  return sums;
}

std::vector<double> mean_differences(std::span<const WeightedScores> a,
                                     std::span<const WeightedScores> b, RowWeights weights) {
  const std::vector<double> before = mean_scores(a, weights);
  std::vector<double> differences = mean_scores(b, weights);
  require(before.size() == differences.size(), ErrorKind::shape, kBootstrapWhere,
          "systems with {} and with {} metrics cannot be compared", before.size(),
          differences.size());
  for (size_t m = 0; m < differences.size(); ++m) differences[m] -= before[m];
  return differences;
}

BootstrapResult result_of(double difference, std::vector<double>& draws) {
  BootstrapResult result;
  result.difference = difference;
  const auto all = static_cast<int64_t>(draws.size());
  std::erase_if(draws, [](double draw) { return std::isnan(draw); });
  const auto kept = static_cast<int64_t>(draws.size());
  result.undefined = all - kept;
  if (kept == 0 || std::isnan(difference)) {
    result.low = result.high = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  std::sort(draws.begin(), draws.end());
  result.low = quantile_of_sorted(draws, 0.025);
  result.high = quantile_of_sorted(draws, 0.975);
  const auto below = std::upper_bound(draws.begin(), draws.end(), 0.0) - draws.begin();
  const auto above = draws.end() - std::lower_bound(draws.begin(), draws.end(), 0.0);
  const auto smaller = static_cast<double>(std::min(below, above));
  result.p_value = std::min(1.0, 2 * (smaller + 1) / static_cast<double>(kept + 1));
  return result;
}

}  // namespace

std::vector<BootstrapResult> paired_bootstrap(int64_t rows, std::span<const WeightedScores> a,
                                              std::span<const WeightedScores> b,
                                              const BootstrapOptions& options) {
  require(rows > 0, ErrorKind::data, kBootstrapWhere, "there are no rows to compare on");
  require(!a.empty() && !b.empty(), ErrorKind::shape, kBootstrapWhere,
          "expected systems on both sides, got {} and {}", a.size(), b.size());
  require(options.draws > 0, ErrorKind::shape, kBootstrapWhere,
          "expected at least one draw, got {}", options.draws);
  const std::vector<uint32_t> weights(static_cast<size_t>(rows), 1);
  const std::vector<double> differences = mean_differences(a, b, weights);
  std::vector<std::vector<double>> draws(differences.size());
  for (auto& of_metric : draws) of_metric.resize(static_cast<size_t>(options.draws));
  at::parallel_for(0, options.draws, 16, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> drawn_rows(weights.size());
    for (int64_t draw = begin; draw < end; ++draw) {
      RandomStream random(options.seed, kBootstrapWhere, static_cast<uint64_t>(draw));
      std::fill(drawn_rows.begin(), drawn_rows.end(), 0);
      for (int64_t i = 0; i < rows; ++i) ++drawn_rows[random.below(drawn_rows.size())];
      const std::vector<double> drawn = mean_differences(a, b, drawn_rows);
      for (size_t m = 0; m < drawn.size(); ++m) draws[m][static_cast<size_t>(draw)] = drawn[m];
    }
  });
  std::vector<BootstrapResult> results;
  for (size_t m = 0; m < differences.size(); ++m)
    results.push_back(result_of(differences[m], draws[m]));
  return results;
}

BootstrapResult paired_bootstrap(std::span<const double> a, std::span<const double> b,
                                 const BootstrapOptions& options) {
  require(a.size() == b.size() && !a.empty(), ErrorKind::shape, kBootstrapWhere,
          "a paired bootstrap needs two lists of equal length, got {} and {}", a.size(), b.size());
  const WeightedScores before = mean_scores_of({{a.begin(), a.end()}});
  const WeightedScores after = mean_scores_of({{b.begin(), b.end()}});
  return paired_bootstrap(static_cast<int64_t>(a.size()), std::span(&before, 1),
                          std::span(&after, 1), options)[0];
}

}  // namespace tenfold::eval

// The sums of retrieval.h, each over the first k places.
// Not here: reading judgements.
#include "eval/retrieval.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "eval/finite_scores.h"
#include "support/fail.h"

namespace tenfold::eval {
namespace {

constexpr const char* kRetrievalWhere = "retrieval";

double discounted_sum(std::span<const double> gains, size_t k) {
  double sum = 0;
  for (size_t i = 0; i < std::min(k, gains.size()); ++i) {
    sum += gains[i] / std::log2(static_cast<double>(i) + 2);
  }
  return sum;
}

double mean_or_nothing(const std::vector<double>& values) {
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::vector<double> gains_of_ranking(const RankedQuery& query) {
  std::unordered_set<std::string_view> seen;
  std::vector<double> gains;
  for (const std::string& document : query.ranking) {
    require(seen.insert(document).second, ErrorKind::data, kRetrievalWhere,
            "query '{}': the document '{}' is ranked twice", query.id, document);
    const auto judged = query.judged.find(document);
    gains.push_back(judged == query.judged.end() ? 0 : judged->second);
  }
  return gains;
}

std::vector<double> judged_gains(const RankedQuery& query) {
  std::vector<double> gains;
  for (const auto& [document, gain] : query.judged) {
    require(std::isfinite(gain) && gain >= 0, ErrorKind::data, kRetrievalWhere,
            "query '{}': the gain of '{}' is {}, expected a number from 0 on", query.id, document,
            gain);
    gains.push_back(gain);
  }
  return gains;
}

}  // namespace

double reciprocal_rank(std::span<const double> gains, size_t k) {
  for (size_t i = 0; i < std::min(k, gains.size()); ++i) {
    if (gains[i] > 0) return 1 / static_cast<double>(i + 1);
  }
  return 0;
}

double recall_at(std::span<const double> gains, size_t helpful, size_t k) {
  if (helpful == 0) return 0;
  const auto first = gains.first(std::min(k, gains.size()));
  const auto found = std::count_if(first.begin(), first.end(), [](double g) { return g > 0; });
  return static_cast<double>(found) / static_cast<double>(helpful);
}

double ndcg_at(std::span<const double> gains, std::span<const double> judged, size_t k) {
  std::vector<double> best(judged.begin(), judged.end());
  std::sort(best.begin(), best.end(), std::greater<>());
  const double ideal = discounted_sum(best, k);
  return ideal == 0 ? 0 : discounted_sum(gains, k) / ideal;
}

std::vector<double> ranked_gains(std::span<const double> scores, std::span<const double> gains) {
  require_paired(scores.size(), gains.size(), "scores");
  require_finite_scores(scores, "score");
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : gains[a] < gains[b];
  });
  std::vector<double> out;
  for (size_t i : order) out.push_back(gains[i]);
  return out;
}

RetrievalScores score_retrieval(std::span<const RankedQuery> queries, size_t k) {
  RetrievalScores scores;
  for (const RankedQuery& query : queries) {
    const std::vector<double> gains = gains_of_ranking(query), judged = judged_gains(query);
    const auto helpful = static_cast<size_t>(
        std::count_if(judged.begin(), judged.end(), [](double gain) { return gain > 0; }));
    if (helpful == 0) {
      ++scores.without_helpful;
      continue;
    }
    scores.reciprocal_ranks.push_back(reciprocal_rank(gains, k));
    scores.recalls.push_back(recall_at(gains, helpful, k));
    scores.ndcgs.push_back(ndcg_at(gains, judged, k));
  }
  scores.queries = static_cast<int64_t>(scores.ndcgs.size());
  require(scores.queries > 0, ErrorKind::data, kRetrievalWhere,
          "none of {} queries has a helpful document", queries.size());
  scores.mrr = mean_or_nothing(scores.reciprocal_ranks);
  scores.recall = mean_or_nothing(scores.recalls);
  scores.ndcg = mean_or_nothing(scores.ndcgs);
  return scores;
}

}  // namespace tenfold::eval

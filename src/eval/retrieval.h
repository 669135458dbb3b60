// How early a ranking shows what was looked for: reciprocal rank, recall and discounted gain among
// the first k. Not here: making rankings (similarity search), or averaging over topics of
// trec_eval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenfold::eval {

inline constexpr size_t kWholeRanking = std::numeric_limits<size_t>::max();

/// Gains are what judges gave a document: 0 for one that does not help (or was not judged), 1 or
/// more for one that does. Lists of gains are in the order of the ranking, best first.

/// 1 / place of the first helpful document, or 0 where the first k have none.
double reciprocal_rank(std::span<const double> gains, size_t k = kWholeRanking);

/// Share of the `helpful` documents that exist which stand among the first k; 0 where none exists.
double recall_at(std::span<const double> gains, size_t helpful, size_t k);

/// Sum of gain / log2(place + 1) over the first k, over that of the best order of `judged` (the
/// gains of all documents, in any order); 0 where none helps (Järvelin and Kekäläinen 2002, with
/// the discount of Burges et al. 2005 and linear gain).
double ndcg_at(std::span<const double> gains, std::span<const double> judged, size_t k);

/// `gains` by falling score. Documents of equal score come with the least helpful first, so that a
/// scorer that cannot tell them apart wins nothing. Error{data} for lists of unequal length or
/// naming the row of a score that is not finite.
std::vector<double> ranked_gains(std::span<const double> scores, std::span<const double> gains);

/// One query: documents best first, and what judges said of documents (others have gain 0).
struct RankedQuery {
  std::string id;
  std::vector<std::string> ranking;
  std::unordered_map<std::string, double> judged;
};

struct RetrievalScores {
  double mrr = 0, recall = 0, ndcg = 0;  ///< means over the queries that have a helpful document
  int64_t queries = 0;
  int64_t without_helpful = 0;                           ///< queries left out of the means
  std::vector<double> reciprocal_ranks, recalls, ndcgs;  ///< of the queries counted, in order
};

/// Error{data} naming the query that ranks a document twice or has a gain below 0 or not finite,
/// and where no query has a helpful document.
RetrievalScores score_retrieval(std::span<const RankedQuery> queries, size_t k);

}  // namespace tenfold::eval

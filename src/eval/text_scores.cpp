// Each metric keeps what it needs of a row (counts, or a value) and sums it by weight.
// Not here: formulas.
#include "eval/text_scores.h"

#include <algorithm>
#include <array>

#include "eval/chrf.h"
#include "eval/finite_scores.h"
#include "eval/metric_table.h"
#include "eval/resampled_scores.h"
#include "support/fail.h"
#include "tensor/torch.h"

namespace tenfold::eval {
namespace {

constexpr const char* kTextsWhere = "texts";

using Texts = std::span<const std::string>;
using ReferenceLists = std::span<const std::vector<std::string>>;

/// `count_row` of each row, by several threads.
template <typename CountRow>
auto counts_of_rows(size_t rows, const CountRow& count_row) {
  std::vector<decltype(count_row(size_t{0}))> counts(rows);
  at::parallel_for(0, static_cast<int64_t>(rows), 64, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i)
      counts[i] = count_row(i);
  });
  return counts;
}

/// The sum of the rows' counts as often as each counts, then the score of the sum.
template <typename Counts, typename Score>
WeightedScores corpus_score_of(std::vector<Counts> rows, Score score) {
  return [rows = std::move(rows), score = std::move(score)](RowWeights weights) {
    Counts sum;
    for (size_t i = 0; i < rows.size(); ++i) {
      for (uint32_t times = 0; times < weights[i]; ++times) sum += rows[i];
    }
    return std::vector<double>{score(sum)};
  };
}

WeightedScores bleu_scores(Texts texts, ReferenceLists references, const TextScoreOptions& asked) {
  const BleuOptions options{.tokens = asked.tokens, .lowercase = asked.lowercase};
  std::vector<BleuCounts> rows = counts_of_rows(
      texts.size(), [&](size_t i) { return bleu_counts(texts[i], references[i], options); });
  return corpus_score_of(std::move(rows),
                         [=](const BleuCounts& sum) { return bleu_of(sum, options).bleu; });
}

WeightedScores chrf_scores(Texts texts, ReferenceLists references, ChrfKind kind,
                           const TextScoreOptions& asked) {
  const ChrfOptions options{.kind = kind, .lowercase = asked.lowercase};
  std::vector<ChrfCounts> rows = counts_of_rows(
      texts.size(), [&](size_t i) { return chrf_counts(texts[i], references[i], options); });
  return corpus_score_of(std::move(rows),
                         [=](const ChrfCounts& sum) { return chrf_of(sum, options); });
}

constexpr std::array<std::string_view, 4> kRougeNames = {"rouge1", "rouge2", "rougeL", "rougeLsum"};

/// F of each of kRougeNames against the reference that fits best.
std::array<double, kRougeNames.size()> best_rouge(const std::string& text,
                                                  const std::vector<std::string>& references,
                                                  Stemming stemming) {
  std::array<double, kRougeNames.size()> best{};
  for (const std::string& reference : references) {
    const RougeScores scores = rouge_scores(text, reference, stemming);
    const double f[] = {scores.rouge1.f, scores.rouge2.f, scores.rouge_l.f, scores.rouge_l_sum.f};
    for (size_t m = 0; m < best.size(); ++m) best[m] = std::max(best[m], f[m]);
  }
  return best;
}

std::vector<double> column_of(const std::vector<std::array<double, kRougeNames.size()>>& rows,
                              size_t column) {
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row[column]);
  return values;
}

void require_texts(Texts texts, ReferenceLists references) {
  require(texts.size() == references.size(), ErrorKind::data, kTextsWhere,
          "{} texts for {} references, expected equally many", texts.size(), references.size());
  require(!texts.empty(), ErrorKind::data, kTextsWhere, "there are no texts to score");
  for (size_t i = 0; i < references.size(); ++i) {
    require(!references[i].empty(), ErrorKind::data, kTextsWhere, "row {} has no reference", i + 1);
  }
}

}  // namespace

WeightedScores text_scores_of(Texts texts, ReferenceLists references, Texts metrics,
                              const TextScoreOptions& options) {
  require_texts(texts, references);
  std::vector<std::array<double, kRougeNames.size()>> rouge;  // filled when first asked for
  std::vector<WeightedScores> parts;
  for (const std::string& name : metrics) {
    require(require_metric(name).input == MetricInput::texts, ErrorKind::usage, kTextsWhere,
            "'{}' is no metric of texts: expected bleu, chrf, chrf++, {}", name,
            fmt::join(kRougeNames, ", "));
    const auto variant = std::find(kRougeNames.begin(), kRougeNames.end(), name);
    if (name == "bleu") {
      parts.push_back(bleu_scores(texts, references, options));
    } else if (variant == kRougeNames.end()) {
      const ChrfKind kind = name == "chrf" ? ChrfKind::chrf : ChrfKind::plus_plus;
      parts.push_back(chrf_scores(texts, references, kind, options));
    } else {
      if (rouge.empty()) {
        rouge = counts_of_rows(texts.size(), [&](size_t i) {
          return best_rouge(texts[i], references[i], options.stemming);
        });
      }
      const auto column = static_cast<size_t>(variant - kRougeNames.begin());
      parts.push_back(mean_scores_of({column_of(rouge, column)}));
    }
  }
  return [parts = std::move(parts)](RowWeights weights) {
    std::vector<double> scores;
    for (const WeightedScores& part : parts) scores.push_back(part(weights)[0]);
    return scores;
  };
}

}  // namespace tenfold::eval

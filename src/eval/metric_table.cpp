// The rows of the table.
// Not here: anything but words and bounds.
#include "eval/metric_table.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "support/fail.h"
#include "support/strings.h"

namespace tenfold::eval {
namespace {

constexpr double kNoBound = std::numeric_limits<double>::infinity();

constexpr MetricInfo kMetrics[] = {
    {.name = "accuracy", .summary = "share of examples (or words) with the right label"},
    {.name = "f1", .summary = "F1 of the positive class, of entities, or of answers' words"},
    {.name = "precision", .summary = "share of what was predicted that is right"},
    {.name = "recall", .summary = "share of what was to find that was found"},
    {.name = "f1_macro", .summary = "mean F1 of the classes, each counting the same"},
    {.name = "f1_micro", .summary = "F1 of all decisions pooled"},
    {.name = "mcc", .summary = "Matthews' correlation of labels (CoLA)", .low = -1},
    {.name = "exact", .summary = "share of examples that are right in full (sets, answers)"},
    {.name = "hamming_loss",
     .summary = "share of the decisions on label sets that are wrong",
     .higher_is_better = false},
    {.name = "pearson",
     .summary = "linear correlation of predicted and gold scores (STS-B)",
     .input = MetricInput::scores,
     .low = -1},
    {.name = "spearman",
     .summary = "correlation of the ranks of predicted and gold scores (STS)",
     .input = MetricInput::scores,
     .low = -1},
    {.name = "entity_f1",
     .summary = "F1 of entities with the right borders and type",
     .input = MetricInput::tags},
    {.name = "squad_exact",
     .summary = "share of questions answered word for word",
     .input = MetricInput::answers},
    {.name = "squad_f1",
     .summary = "mean F1 of the words of answers",
     .input = MetricInput::answers},
    {.name = "mrr",
     .summary = "mean of 1 / place of the first helpful document",
     .input = MetricInput::rankings},
    {.name = "ndcg",
     .summary = "gain of the first k documents over the best possible",
     .input = MetricInput::rankings},
    {.name = "bleu",
     .summary = "n-gram precision of whole corpora, with a brevity penalty",
     .input = MetricInput::texts,
     .high = 100,
     .decimals = 2},
    {.name = "chrf",
     .summary = "F2 of character n-grams",
     .input = MetricInput::texts,
     .high = 100,
     .decimals = 2},
    {.name = "chrf++",
     .summary = "F2 of character n-grams, words and word pairs",
     .input = MetricInput::texts,
     .high = 100,
     .decimals = 2},
    {.name = "rouge1", .summary = "mean F1 of words", .input = MetricInput::texts},
    {.name = "rouge2", .summary = "mean F1 of word pairs", .input = MetricInput::texts},
    {.name = "rougeL",
     .summary = "mean F1 of longest common subsequences",
     .input = MetricInput::texts},
    {.name = "rougeLsum",
     .summary = "mean F1 of longest common subsequences, line by line",
     .input = MetricInput::texts},
    {.name = "loss",
     .summary = "mean of what training minimises",
     .input = MetricInput::losses,
     .higher_is_better = false,
     .high = kNoBound},
    {.name = "perplexity",
     .summary = "how many tokens the model hesitates between; depends on the tokenizer",
     .input = MetricInput::losses,
     .higher_is_better = false,
     .low = 1,
     .high = kNoBound,
     .decimals = 3},
    {.name = "bits_per_byte",
     .summary = "bits a byte of text costs; comparable across tokenizers",
     .input = MetricInput::losses,
     .higher_is_better = false,
     .high = kNoBound},
    {.name = "bits_per_character",
     .summary = "bits a character of text costs; comparable across tokenizers",
     .input = MetricInput::losses,
     .higher_is_better = false,
     .high = kNoBound},
};

}  // namespace

std::span<const MetricInfo> metric_table() { return kMetrics; }

const MetricInfo* find_metric(std::string_view name) {
  const std::string_view plain = name.substr(0, name.find('@'));
  const auto found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                  [&](const MetricInfo& metric) { return metric.name == plain; });
  return found == std::end(kMetrics) ? nullptr : found;
}

const MetricInfo& require_metric(std::string_view name) {
  if (const MetricInfo* found = find_metric(name)) return *found;
  std::vector<std::string> names;
  for (const MetricInfo& metric : kMetrics) names.emplace_back(metric.name);
  fail(ErrorKind::usage, "metrics", "unknown metric '{}'{}; there are {}", name,
       did_you_mean(name, names), join(names, ", "));
}

bool lower_is_better(std::string_view name) {
  const MetricInfo* metric = find_metric(name);
  return metric != nullptr && !metric->higher_is_better;
}

std::string_view name_of(MetricInput input) {
  switch (input) {
    case MetricInput::labels: return "labels";
    case MetricInput::scores: return "scores";
    case MetricInput::tags: return "tags";
    case MetricInput::answers: return "answers";
    case MetricInput::rankings: return "rankings";
    case MetricInput::texts: return "texts";
    case MetricInput::losses: return "losses";
  }
  return "";
}

}  // namespace tenfold::eval

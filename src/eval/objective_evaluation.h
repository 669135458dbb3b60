// Runs an objective, or any classifier, over examples without gradients and without padding, and
// gives means. Not here: reading the examples (data), the metrics' formulas (metrics.h), or
// choosing when to evaluate (train, apps).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/collator.h"
#include "data/example.h"
#include "eval/metrics.h"
#include "model/objective.h"

namespace tenfold::eval {

struct EvaluationOptions {
  int64_t batch_tokens = 4096;  ///< real tokens a batch; a longer example is a batch of its own
  uint64_t seed = 0;  ///< of what the collator draws (masks): the same at every evaluation
  torch::Device device = torch::kCPU;
};

/// Means over all examples: they do not depend on how the batches are cut.
struct ObjectiveScores {
  std::map<std::string, double> means;  ///< of each loss part: sum / denominator; 0 without items
  std::map<std::string, double> denominators;  ///< of each loss part: tokens or rows counted
  std::map<std::string, double> counts;  ///< sums the objective reports (correct predictions, ...)
  double loss = 0;                       ///< weighted sum of the means
  int64_t examples = 0;
  int64_t tokens = 0;

  /// counts[count] / denominators[part]; 0 where the denominator is.
  double share(const std::string& count, const std::string& part) const;
};

/// What a batch costs; `indices` are the places of its examples in the list that is evaluated, so
/// that what the model says can be kept in their order.
using BatchStep =
    std::function<model::StepResult(const data::Batch&, std::span<const size_t> indices)>;

/// `step` on every example, without gradients and with the model's training flag off (and as it was
/// afterwards). Error{data} without examples.
ObjectiveScores evaluate_steps(model::Encoder& model, const BatchStep& step,
                               const data::Collator& collator,
                               std::span<const data::Example> examples,
                               const EvaluationOptions& options = {});

/// Objective::step with training off, e.g. the masked-token loss of held-out text:
/// `perplexity(scores.means.at("mlm"))`.
ObjectiveScores evaluate_objective(model::Encoder& model, model::Objective& objective,
                                   const data::Collator& collator,
                                   std::span<const data::Example> examples,
                                   const EvaluationOptions& options = {});

/// What a classifier did on labelled examples.
struct ClassificationScores {
  Confusion confusion{1};
  double loss = 0;                       ///< mean cross-entropy in nats
  std::vector<int64_t> gold, predicted;  ///< in the order of the examples
  std::vector<double> correct;           ///< 1 or 0 an example: what paired_bootstrap takes
};

/// [rows, classes] logits of a batch.
using LogitsOfBatch = std::function<Tensor(const data::Batch&)>;

/// Every example's label is labels[0], a class index. Error{data} naming the example where it has
/// none or one outside 0 .. classes - 1; Error{shape} where the logits do not fit.
ClassificationScores evaluate_classification(const LogitsOfBatch& logits,
                                             const data::Collator& collator,
                                             std::span<const data::Example> examples,
                                             int64_t classes,
                                             const EvaluationOptions& options = {});

/// Indices of the examples in batches of at most `batch_tokens` tokens, long ones together; each
/// index once.
std::vector<std::vector<size_t>> evaluation_batches(std::span<const data::Example> examples,
                                                    int64_t batch_tokens);

}  // namespace tenfold::eval

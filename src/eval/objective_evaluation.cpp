// The evaluation loops of objective_evaluation.h: batches by length, sums in double precision.
// Not here: training, and any metric's formula.
#include "eval/objective_evaluation.h"

#include <algorithm>
#include <numeric>

#include "support/fail.h"

namespace tenfold::eval {
namespace {

constexpr const char* kEvaluationWhere = "evaluation";

size_t tokens_of_example(const data::Example& example) {
  size_t tokens = 0;
  for (const auto& [name, values] : example.sequences) {
    if (name != "segments") tokens += values.size();
  }
  return tokens;
}

/// Sets a module's training flag and puts the old one back.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module), was_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(was_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_;
};

/// Calls `use(batch, indices)` for every batch, on the device, without gradients.
template <typename Use>
void for_each_batch(const data::Collator& collator, std::span<const data::Example> examples,
                    const EvaluationOptions& options, const Use& use) {
  require(!examples.empty(), ErrorKind::data, kEvaluationWhere,
          "there are no examples to evaluate on");
  const torch::NoGradGuard no_gradients;
  for (const auto& indices : evaluation_batches(examples, options.batch_tokens)) {
    std::vector<data::Example> chosen;
    for (size_t i : indices) chosen.push_back(examples[i]);
    const data::Batch batch = collator.collate(chosen, {.seed = options.seed, .epoch = 0});
    use(batch.to(options.device), indices);
  }
}

int64_t label_of(const data::Example& example, int64_t classes) {
  require(!example.labels.empty(), ErrorKind::data, kEvaluationWhere, "example {} has no label",
          example.id);
  const auto label = static_cast<int64_t>(example.labels[0]);
  require(label >= 0 && label < classes, ErrorKind::data, kEvaluationWhere,
          "example {}: label {} is outside 0 .. {}", example.id, label, classes - 1);
  return label;
}

double sum_of_part(const model::LossPart& part) { return part.sum.item<double>(); }

}  // namespace

double ObjectiveScores::share(const std::string& count, const std::string& part) const {
  const auto counted = counts.find(count);
  const auto denominator = denominators.find(part);
  if (counted == counts.end() || denominator == denominators.end() || denominator->second == 0)
    return 0;
  return counted->second / denominator->second;
}

std::vector<std::vector<size_t>> evaluation_batches(std::span<const data::Example> examples,
                                                    int64_t batch_tokens) {
  std::vector<size_t> order(examples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return tokens_of_example(examples[a]) > tokens_of_example(examples[b]);
  });
  std::vector<std::vector<size_t>> batches;
  int64_t used = 0;
  for (size_t i : order) {
    const auto tokens = static_cast<int64_t>(tokens_of_example(examples[i]));
    if (batches.empty() || used + tokens > batch_tokens) {
      batches.emplace_back();
      used = 0;
    }
    batches.back().push_back(i);
    used += tokens;
  }
  return batches;
}

ObjectiveScores evaluate_steps(model::Encoder& model, const BatchStep& step,
                               const data::Collator& collator,
                               std::span<const data::Example> examples,
                               const EvaluationOptions& options) {
  const EvaluationMode mode(model);
  ObjectiveScores scores;
  std::map<std::string, double> sums, weights;
  for_each_batch(collator, examples, options, [&](const data::Batch& batch, const auto& indices) {
    const model::StepResult result = step(batch, indices);
    for (const model::LossPart& part : result.parts) {
      sums[part.name] += sum_of_part(part);
      weights[part.name] = part.weight;
    }
    for (const auto& [name, value] : batch.denominators) scores.denominators[name] += value;
    for (const auto& [name, value] : result.counts) scores.counts[name] += value;
    scores.examples += static_cast<int64_t>(indices.size());
    scores.tokens += batch.real_tokens();
  });
  for (const auto& [name, sum] : sums) {
    const double denominator = scores.denominators[name];
    scores.means[name] = denominator > 0 ? sum / denominator : 0;
    scores.loss += weights[name] * scores.means[name];
  }
  return scores;
}

ObjectiveScores evaluate_objective(model::Encoder& model, model::Objective& objective,
                                   const data::Collator& collator,
                                   std::span<const data::Example> examples,
                                   const EvaluationOptions& options) {
  const model::StepContext context{.training = false, .seed = options.seed, .step = 0};
  const auto step = [&](const data::Batch& batch, std::span<const size_t>) {
    return objective.step(model, batch, context);
  };
  return evaluate_steps(model, step, collator, examples, options);
}

ClassificationScores evaluate_classification(const LogitsOfBatch& logits,
                                             const data::Collator& collator,
                                             std::span<const data::Example> examples,
                                             int64_t classes, const EvaluationOptions& options) {
  ClassificationScores scores;
  scores.confusion = Confusion(classes);
  scores.gold.resize(examples.size());
  scores.predicted.resize(examples.size());
  scores.correct.resize(examples.size());
  for (size_t i = 0; i < examples.size(); ++i) scores.gold[i] = label_of(examples[i], classes);
  double loss_sum = 0;
  for_each_batch(collator, examples, options, [&](const data::Batch& batch, const auto& indices) {
    const Tensor logits_BC = logits(batch).to(torch::kCPU, torch::kDouble);
    const auto rows = static_cast<int64_t>(indices.size());
    require(logits_BC.dim() == 2 && logits_BC.size(0) == rows && logits_BC.size(1) == classes,
            ErrorKind::shape, kEvaluationWhere,
            "expected logits for {} rows and {} classes, got {}", rows, classes,
            c10::str(logits_BC.sizes()));
    const Tensor log_BC = logits_BC.log_softmax(1);
    const Tensor best_B = logits_BC.argmax(1);
    for (int64_t row = 0; row < rows; ++row) {
      const size_t i = indices[static_cast<size_t>(row)];
      scores.predicted[i] = best_B[row].item<int64_t>();
      scores.correct[i] = scores.predicted[i] == scores.gold[i] ? 1 : 0;
      loss_sum -= log_BC[row][scores.gold[i]].item<double>();
    }
  });
  for (size_t i = 0; i < examples.size(); ++i) {
    scores.confusion.add(scores.gold[i], scores.predicted[i]);
  }
  scores.loss = loss_sum / static_cast<double>(examples.size());
  return scores;
}

}  // namespace tenfold::eval

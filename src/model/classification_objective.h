// Classification of single texts and pairs: cross-entropy on the pooled first row.
// Not here: labels (data/classification_collator.h).
#pragma once

#include <memory>

#include "model/encoder.h"
#include "model/objective.h"
#include "nn/linear.h"

namespace tenfold::model {

/// Takes the fields "labels" (int64 [B]) and, where rows have weights, "weights" ([B]); gives the
/// part "classification" and the count "correct".
class ClassificationObjective final : public Objective {
 public:
  /// `dropout` of the pooled vector; below 0: the encoder's hidden_dropout_prob.
  explicit ClassificationObjective(std::shared_ptr<nn::Linear> classifier, double dropout = -1)
      : classifier_(std::move(classifier)), dropout_(dropout) {}

  std::vector<OwnedModule> modules() override {
    return {{.prefix = "classifier.", .module = classifier_}};
  }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override;

  /// [B, C], with dropout on the pooled vector while training.
  Tensor logits(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;

 private:
  std::shared_ptr<nn::Linear> classifier_;
  double dropout_;
};

}  // namespace tenfold::model

// Classification of single texts and pairs: cross-entropy on a sequence's classes.
// Not here: labels (data/classification_collator.h).
#pragma once

#include <memory>

#include "model/encoder.h"
#include "model/objective.h"
#include "model/sequence_classifier.h"
#include "nn/class_loss.h"

namespace tenfold::model {

/// Takes the fields "labels" (int64 [B]) and, where rows have weights, "weights" ([B]); gives the
/// part "classification" and the count "correct".
class ClassificationObjective final : public Objective {
 public:
  explicit ClassificationObjective(std::shared_ptr<SequenceClassifier> classifier,
                                   nn::ClassLoss loss = {})
      : classifier_(std::move(classifier)), loss_(std::move(loss)) {}

  std::vector<OwnedModule> modules() override { return {classifier_->owned()}; }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override;

  /// [B, C], with the head's dropout while training.
  Tensor logits(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;

 private:
  std::shared_ptr<SequenceClassifier> classifier_;
  nn::ClassLoss loss_;
};

}  // namespace tenfold::model

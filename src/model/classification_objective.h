// Classification of single texts and pairs: cross-entropy on a sequence's classes.
// Not here: labels (data/classification_collator.h).
#pragma once

#include <memory>
#include <utility>

#include "model/sequence_objectives.h"
#include "nn/class_loss.h"

namespace tenfold::model {

/// Takes the fields "labels" (int64 [B]) and, where rows have weights, "weights" ([B]); gives the
/// part "classification" and the count "correct".
class ClassificationObjective final : public SequenceObjective {
 public:
  explicit ClassificationObjective(std::shared_ptr<SequenceClassifier> head,
                                   nn::ClassLoss loss = {})
      : SequenceObjective(std::move(head)), loss_(std::move(loss)) {}

  StepResult judge(const Tensor& logits_BC, const data::Batch& batch) const override;

 private:
  nn::ClassLoss loss_;
};

}  // namespace tenfold::model

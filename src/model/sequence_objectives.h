// What is learnt from one number or more a sequence: a score, a yes or no for each class, the right
// one of several choices. Not here: one class of several (classification_objective.h).
//
// S sequences, B rows, C numbers or choices.
#pragma once

#include <memory>

#include "model/objective.h"
#include "model/sequence_classifier.h"

namespace tenfold::model {

/// An objective on a SequenceClassifier.
class SequenceObjective : public Objective {
 public:
  explicit SequenceObjective(std::shared_ptr<SequenceClassifier> head) : head_(std::move(head)) {}
  std::vector<OwnedModule> modules() override { return {head_->owned()}; }

  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) final {
    return judge(logits(model, batch, context.pass(batch)), batch);
  }

  /// The head's numbers, [S, C], fp32 or wider.
  Tensor logits(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;
  /// What `logits_SC` cost.
  virtual StepResult judge(const Tensor& logits_SC, const data::Batch& batch) const = 0;

 private:
  std::shared_ptr<SequenceClassifier> head_;
};

/// A score by mean squared error. Takes the field "targets" ([B, 1]); gives the part "regression".
class RegressionObjective final : public SequenceObjective {
 public:
  using SequenceObjective::SequenceObjective;
  StepResult judge(const Tensor& logits_B1, const data::Batch& batch) const override;
};

/// Takes the field "targets" ([B, C], 0 or 1); gives the part "multi_label", a binary cross-entropy
/// for each number, and the count "correct" (numbers on the right side of 1/2).
class MultiLabelObjective final : public SequenceObjective {
 public:
  using SequenceObjective::SequenceObjective;
  StepResult judge(const Tensor& logits_BC, const data::Batch& batch) const override;
};

/// Takes the fields "choices" (int64 [B, C]: the sequence of each choice, -1 beyond a row's last)
/// and "labels" (int64 [B]); gives the part "choice", the cross-entropy over a row's choices, and
/// the count "correct".
class ChoiceObjective final : public SequenceObjective {
 public:
  using SequenceObjective::SequenceObjective;
  StepResult judge(const Tensor& logits_S1, const data::Batch& batch) const override;

  /// [B, C]; minus infinity beyond a row's last choice.
  static Tensor choices(const Tensor& logits_S1, const data::Batch& batch);
};

}  // namespace tenfold::model

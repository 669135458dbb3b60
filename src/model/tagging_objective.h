// Tagging of words: cross-entropy on the rows of first pieces.
// Not here: which rows those are (data/word_collator.h).
//
// T rows, W words, C tags.
#pragma once

#include <memory>

#include "model/heads.h"
#include "model/objective.h"
#include "nn/class_loss.h"

namespace tenfold::model {

/// Takes the fields "word_rows" (int64 [W]) and "tags" (int64 [W], below 0: not scored); gives the
/// part "tagging" and the count "correct".
class TaggingObjective final : public Objective {
 public:
  explicit TaggingObjective(std::shared_ptr<TokenClassifier> head, nn::ClassLoss loss = {})
      : head_(std::move(head)), loss_(std::move(loss)) {}

  std::vector<OwnedModule> modules() override { return {head_->owned()}; }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override;

  /// [W, C].
  Tensor logits(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;
  /// What `logits` cost.
  StepResult judge(const Tensor& logits_WC, const data::Batch& batch) const;

 private:
  std::shared_ptr<TokenClassifier> head_;
  nn::ClassLoss loss_;
};

}  // namespace tenfold::model

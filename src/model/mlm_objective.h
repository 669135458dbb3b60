// Masked language modelling: the loss on the masked rows alone.
// Not here: which rows are masked (data/mlm_collator.h).
#pragma once

#include <memory>

#include "model/heads.h"
#include "model/objective.h"

namespace tenfold::model {

/// Takes the fields "predicted_T" (int64 rows of the packed block) and "label_ids" (int64); gives
/// the part "mlm" and the count "mlm_correct".
class MlmObjective final : public Objective {
 public:
  explicit MlmObjective(std::shared_ptr<MlmHead> head) : head_(std::move(head)) {}

  std::vector<OwnedModule> modules() override { return {head_->owned()}; }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override;

 private:
  std::shared_ptr<MlmHead> head_;
};

}  // namespace tenfold::model

// Span question answering: where the answer begins and ends among the tokens of a window.
// Not here: windows (data/span_windows.h) or answers out of scores (data/span_answers.h).
//
// T rows, B windows.
#pragma once

#include <memory>

#include "data/span_answers.h"
#include "model/heads.h"
#include "model/objective.h"

namespace tenfold::model {

/// Takes the fields "begin" and "end" (int64 [B], rows of the packed block); gives the part "span":
/// the mean of both cross-entropies, each over the tokens of the window (there is no padding to
/// take part, unlike in the reference implementation), and the count "correct" (both ends right).
class SpanObjective final : public Objective {
 public:
  explicit SpanObjective(std::shared_ptr<SpanHead> head) : head_(std::move(head)) {}

  std::vector<OwnedModule> modules() override { return {head_->owned()}; }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) override;

  SpanLogits logits(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;
  /// What `scores` cost.
  static StepResult judge(const SpanLogits& scores, const data::Batch& batch);

 private:
  std::shared_ptr<SpanHead> head_;
};

/// The scores of each window, as data::span_answers takes them.
std::vector<data::WindowScores> window_scores(const SpanLogits& scores,
                                              const SequenceLayout& layout);

}  // namespace tenfold::model

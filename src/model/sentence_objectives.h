// What is learnt from the vectors of sentences: positives among the texts of a batch, and scored
// pairs. Not here: the losses as functions of vectors (sentence_losses.h), or heads (there is none:
// an encoder and a way of pooling).
//
// S sequences, B rows, D width.
#pragma once

#include <string>
#include <vector>

#include "config/fields.h"
#include "model/objective.h"
#include "model/pooling.h"

namespace tenfold::model {

/// How a sentence becomes a vector.
struct SentenceOptions {
  Pooling pooling = Pooling::mean;
  double scale = 20;  ///< of cosines before the softmax: 1 / temperature
  void fields(config::FieldVisitor& v);
};

class SentenceObjective : public Objective {
 public:
  explicit SentenceObjective(const SentenceOptions& options) : options_(options) {}
  std::vector<OwnedModule> modules() override { return {}; }
  StepResult step(Encoder& model, const data::Batch& batch, const StepContext& context) final {
    return judge(vectors(model, batch, context.pass(batch)), batch);
  }

  /// One row a sequence, [S, D], fp32 or wider.
  Tensor vectors(const Encoder& model, const data::Batch& batch, const PassContext& pass) const;
  virtual StepResult judge(const Tensor& vectors_SD, const data::Batch& batch) const = 0;

 protected:
  const SentenceOptions& options() const { return options_; }

 private:
  SentenceOptions options_;
};

/// Takes the fields of data::ContrastiveCollator; gives the part "contrastive" and the count
/// "correct" (rows whose positive has the largest cosine). What a row costs depends on the other
/// rows of its batch, so results depend on how batches are cut: accumulation adds up whole batches.
class ContrastiveObjective final : public SentenceObjective {
 public:
  using SentenceObjective::SentenceObjective;
  StepResult judge(const Tensor& vectors_SD, const data::Batch& batch) const override;
};

/// Takes the fields of data::ScoredPairCollator; gives the part "cosent": the mean over batches,
/// each compared within itself.
class CosentObjective final : public SentenceObjective {
 public:
  using SentenceObjective::SentenceObjective;
  StepResult judge(const Tensor& vectors_SD, const data::Batch& batch) const override;
};

/// Takes the fields of data::ScoredPairCollator, scores as cosines shall be; gives the part
/// "cosine", the squared difference.
class CosineObjective final : public SentenceObjective {
 public:
  using SentenceObjective::SentenceObjective;
  StepResult judge(const Tensor& vectors_SD, const data::Batch& batch) const override;
};

}  // namespace tenfold::model

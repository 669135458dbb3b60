// Dynamic masking for masked language modelling: drawn anew in every epoch, the same for every
// worker. Not here: which tokens are chosen (mask_sampler.h) or the loss (model/mlm_objective.h).
#pragma once

#include <memory>
#include <vector>

#include "config/fields.h"
#include "data/collator.h"
#include "data/mask_sampler.h"
#include "tenfold/tokenizer.h"

namespace tenfold::data {

struct MlmOptions {
  double probability = 0.15;
  int64_t most = 4096;        ///< predictions in a row
  double mask_share = 0.8;    ///< of the chosen tokens that become [MASK]
  double random_share = 0.1;  ///< that become a random token; the rest stays
  config::Choice sampler;     ///< empty: uniform
  void fields(config::FieldVisitor& v);
  /// Error{config} where the shares add up to more than one.
  void validate(const std::string& where) const;
};

/// Gives the input "tokens", the fields "predicted_T" and "label_ids" and the denominator "mlm".
/// Special tokens are neither chosen nor drawn as replacements.
class MlmCollator final : public Collator {
 public:
  /// Error{config} where the vocabulary has no mask token.
  MlmCollator(const Tokenizer& tokenizer, const MlmOptions& options);
  Batch collate(std::span<const Example> examples, const DrawContext& draw) const override;

 private:
  int64_t replacement(int64_t token, RandomStream& draw) const;

  MlmOptions options_;
  std::unique_ptr<MaskSampler> sampler_;
  std::vector<uint8_t> special_, continues_;  // by token id
  std::vector<int64_t> ordinary_;             // ids that may replace a token
  int64_t mask_id_;
};

}  // namespace tenfold::data

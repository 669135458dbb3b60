// Heads that give numbers for a whole sequence, behind one interface whichever the family: classes,
// several labels at once, a regression's number, a choice's score. Not here: losses and labels
// (objectives, collators), heads on rows (heads.h).
//
// B sequences, D width, C outputs.
#pragma once

#include <memory>
#include <optional>

#include "model/encoder.h"
#include "model/heads.h"

namespace tenfold::model {

class SequenceClassifier : public TaskHead {
 public:
  /// [B, C] from the first rows of the encoder's last layer (Encoder::first_rows), with dropout
  /// while training. const and thread-safe.
  virtual Tensor logits(const Encoder& encoder, const Tensor& first_BD,
                        const SequenceLayout& layout, const PassContext& pass) const = 0;

 protected:
  using TaskHead::TaskHead;
};

/// How ELECTRA sums a sequence up for multiple choice (`summary_*` of config.json): the first row,
/// dropout, a dense layer, an activation, dropout.
struct SummaryOptions {
  bool project = true;  ///< the dense layer
  nn::Activation activation = nn::Activation::gelu;
  double first_dropout = 0, last_dropout = 0.1;
};

/// Classes, labels or one number a sequence, as the family of `spec.encoder` computes them: BERT
/// one linear layer on the pooled vector ("classifier.weight"), ELECTRA and RoBERTa a dense layer
/// and one more on the first row ("classifier.dense.weight", "classifier.out_proj.weight").
std::shared_ptr<SequenceClassifier> make_sequence_classifier(const HeadSpec& spec);

/// One number a sequence, to be compared with those of the other choices: one linear layer on the
/// pooled vector, for ELECTRA on its summary.
std::shared_ptr<SequenceClassifier> make_choice_head(const HeadSpec& spec,
                                                     const SummaryOptions& summary);

}  // namespace tenfold::model

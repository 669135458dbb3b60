// Options of learning from scored pairs, as a recipe and a model directory hold them.
// Not here: the tasks (task_sentences.cpp).
#pragma once

#include <cstdint>

#include "model/sentence_objectives.h"

namespace tenfold::app {

enum class PairLoss : uint8_t { cosent, cosine };

struct SimilarityOptions {
  model::SentenceOptions sentence;
  PairLoss loss = PairLoss::cosent;
  double lowest = 0, highest = 1;  ///< of the scores
  void fields(config::FieldVisitor& v);
  void validate(const std::string& where) const;
};

}  // namespace tenfold::app

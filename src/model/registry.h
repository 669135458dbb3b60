// The table of objectives: what each trains, and how its two halves are made.
// Not here: attention kinds (nn/attention_table.h) and mask samplers (data/mask_sampler.h), which
// have their own tables.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "data/collator.h"
#include "model/checkpoint.h"
#include "model/objective.h"
#include "tenfold/tokenizer.h"
#include "tensor/mask.h"

namespace tenfold::model {

struct ObjectiveKind {
  std::string name, summary, paper;
  Head head = Head::as_stored;  ///< what load_model or make_model must provide
  config::ChoiceKind options;   ///< of the collator's half
  std::function<std::unique_ptr<data::Collator>(const Tokenizer&, const config::Choice&)>
      make_collator;
  std::function<std::unique_ptr<Objective>(const LoadedModel&)> make_objective;
  std::vector<See> masks = {See::all};  ///< that its batches use: the attention must honour them
};

/// Objectives by name, in the order they were added. Filled at start-up; reading is thread-safe.
class ObjectiveTable {
 public:
  void add(ObjectiveKind kind);  ///< Error{internal} for a name taken already
  const std::vector<ObjectiveKind>& kinds() const { return kinds_; }
  /// Error{config} with the nearest legal name where there is none.
  const ObjectiveKind& find(std::string_view name) const;
  config::ChoiceTable choices() const;  ///< the legal values of a recipe's "objective" slot

 private:
  std::vector<ObjectiveKind> kinds_;
};

/// The table of the process, with "mlm" in it from the start: what learns from text alone. Tasks
/// that need labels are rows of the program's own table.
ObjectiveTable& objective_table();

}  // namespace tenfold::model

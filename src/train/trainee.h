// What the trainer optimises, seen only as modules and a step: an encoder with its objective, or a
// test's toy. Not here: losses (model/objective.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/objective.h"

namespace tenfold::train {

class Trainee {
 public:
  virtual ~Trainee() = default;
  /// Everything optimised, the model itself first.
  virtual std::vector<model::OwnedModule> modules() = 0;
  /// Sums of the loss parts of one batch, attached to the graph (model::Objective::step).
  virtual model::StepResult step(const data::Batch& batch, const model::StepContext& context) = 0;
};

/// An encoder and the objective that trains it. Refers to the objective, which must outlive it.
class EncoderTrainee final : public Trainee {
 public:
  /// `prefix` is the family's (model::LoadedModel::encoder_module).
  EncoderTrainee(std::shared_ptr<model::Encoder> encoder, model::Objective& objective,
                 std::string prefix = "bert.")
      : encoder_(std::move(encoder)), objective_(objective), prefix_(std::move(prefix)) {}

  std::vector<model::OwnedModule> modules() override {
    std::vector<model::OwnedModule> all{{.prefix = prefix_, .module = encoder_}};
    for (model::OwnedModule& owned : objective_.modules()) all.push_back(std::move(owned));
    return all;
  }
  model::StepResult step(const data::Batch& batch, const model::StepContext& context) override {
    return objective_.step(*encoder_, batch, context);
  }

 private:
  std::shared_ptr<model::Encoder> encoder_;
  model::Objective& objective_;
  std::string prefix_;
};

}  // namespace tenfold::train

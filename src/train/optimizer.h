// The optimizer slot: what moves parameters along their gradients, and the table of kinds a recipe
// may name. Not here: the built-in kinds (adamw.h, ...), learning rates over time (schedule.h) or
// clipping (clip.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/fields.h"
#include "tensor/torch.h"
#include "train/parameters.h"

namespace tenfold::train {

using TensorsByName = std::map<std::string, Tensor, std::less<>>;

/// Holds the parameters it was made with and a state a parameter. Not thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update from the gradients that lie in the parameters; one without a gradient stays as it
  /// is. The rate is the base rate, times `factor` (the schedule's), times the group's scale.
  virtual void step(double factor) = 0;

  /// The base rate of the next update, for the log.
  virtual double learning_rate() const = 0;

  /// Everything a later step depends on, named by parameter: "bert.pooler.dense.weight.exp_avg".
  /// Not copies.
  virtual TensorsByName state() const = 0;

  /// Takes a state over (copied). Error{checkpoint} naming what is missing, unknown or of another
  /// shape.
  virtual void load_state(const TensorsByName& state) = 0;
};

/// One registered kind. Make one with `optimizer_kind<Class, Options>(...)`.
struct OptimizerKind {
  std::string name, summary, paper;
  std::function<std::unique_ptr<config::OptionSet>()> options;  ///< its default options
  std::function<std::unique_ptr<Optimizer>(std::vector<Parameter>, const config::OptionSet&)> make;
};

/// Kinds by name, in the order they were added. Filled at start-up; reading is thread-safe.
class OptimizerTable {
 public:
  void add(OptimizerKind kind);  ///< Error{internal} for a name taken already
  /// Error{config} listing the legal names where there is none.
  const OptimizerKind& find(std::string_view name) const;
  const std::vector<OptimizerKind>& kinds() const { return kinds_; }
  /// The kinds as the legal values of a recipe's "optimizer" slot.
  config::ChoiceTable choices() const;

 private:
  std::vector<OptimizerKind> kinds_;
};

/// The table of the process, with adamw, adafactor, lamb and sgd in it from the start.
OptimizerTable& optimizer_table();

/// An optimizer of the chosen kind (empty kind: adamw; no options: its defaults).
std::unique_ptr<Optimizer> make_optimizer(const config::Choice& choice,
                                          std::vector<Parameter> parameters);

/// The entry of a kind `Class(std::vector<Parameter>, const Options&)`.
template <typename Class, config::HasFields Options>
OptimizerKind optimizer_kind(std::string name, std::string summary, std::string paper) {
  return {name, std::move(summary), std::move(paper),
          [] { return std::make_unique<config::OptionsOf<Options>>(Options{}); },
          [name](std::vector<Parameter> parameters,
                 const config::OptionSet& set) -> std::unique_ptr<Optimizer> {
            const auto* options = dynamic_cast<const config::OptionsOf<Options>*>(&set);
            require(options != nullptr, ErrorKind::internal, "optimizer",
                    "options of '{}' have another type", name);
            return std::make_unique<Class>(std::move(parameters), options->value);
          }};
}

}  // namespace tenfold::train

// The table of optimizers.
// Not here: any optimizer's arithmetic.
#include "train/optimizer.h"

#include "support/fail.h"
#include "train/adafactor.h"
#include "train/adamw.h"
#include "train/lamb.h"
#include "train/sgd.h"

namespace tenfold::train {

void OptimizerTable::add(OptimizerKind kind) {
  for (const OptimizerKind& known : kinds_) {
    require(known.name != kind.name, ErrorKind::internal, "optimizer", "'{}' is registered twice",
            kind.name);
  }
  kinds_.push_back(std::move(kind));
}

const OptimizerKind& OptimizerTable::find(std::string_view name) const {
  std::string names;
  for (const OptimizerKind& kind : kinds_) {
    if (kind.name == name) return kind;
    names += (names.empty() ? "" : ", ") + kind.name;
  }
  fail(ErrorKind::config, "train.optimizer", "expected one of {}, got '{}'", names, name);
}

config::ChoiceTable OptimizerTable::choices() const {
  config::ChoiceTable table;
  for (const OptimizerKind& kind : kinds_) table.push_back({kind.name, kind.summary, kind.options});
  return table;
}

OptimizerTable& optimizer_table() {
  static OptimizerTable table = [] {
    OptimizerTable built_in;
    built_in.add(optimizer_kind<AdamW, AdamWOptions>("adamw", "Adam with decoupled weight decay",
                                                     "Loshchilov and Hutter 2019"));
    built_in.add(optimizer_kind<Adafactor, AdafactorOptions>(
        "adafactor", "squared gradients by row and column: little memory",
        "Shazeer and Stern 2018"));
    built_in.add(optimizer_kind<Lamb, LambOptions>(
        "lamb", "Adam's step scaled to the weights of each tensor: large batches",
        "You et al. 2020"));
    built_in.add(optimizer_kind<Sgd, SgdOptions>("sgd", "gradient descent with momentum",
                                                 "Robbins and Monro 1951"));
    return built_in;
  }();
  return table;
}

std::unique_ptr<Optimizer> make_optimizer(const config::Choice& choice,
                                          std::vector<Parameter> parameters) {
  const OptimizerKind& kind = optimizer_table().find(choice.kind.empty() ? "adamw" : choice.kind);
  if (choice.options != nullptr) return kind.make(std::move(parameters), *choice.options);
  return kind.make(std::move(parameters), *kind.options());
}

}  // namespace tenfold::train
